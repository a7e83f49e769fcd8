import { describe, formatAgo, formatFull, formatWhen, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { href } from "../../state/router.js";
import { confirm } from "../../ui/dialog.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { admin } from "./admin_api.js";
import { failed, loading } from "./loading.js";
import { endSession, sessionItem } from "./sessions.js";
import { showPassword } from "./shown_once.js";
import { userTags } from "./user_tags.js";

/** One account, what can be done with it, and where it is signed in. */
export class AdminUserPage extends Element {
  static properties = { userId: {}, user: { state: true }, sessions: { state: true }, failure: { state: true }, busy: { state: true } };

  select = (/** @type {import("../../types.js").State} */ { me }) => ({ me });

  constructor() {
    super();
    this.userId = "";
    /** @type {import("./users.js").AdminUser | null} */
    this.user = null;
    /** @type {import("./sessions.js").AdminSession[] | null} */
    this.sessions = null;
    /** @type {Problem | null} */
    this.failure = null;
    this.busy = false;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  async #load() {
    try {
      const path = `/users/${encodeURIComponent(this.userId)}`;
      const [user, sessions] = await Promise.all([admin().get(path, undefined), admin().get(`${path}/sessions`, undefined)]);
      this.user = user;
      this.sessions = sessions.items;
      this.failure = null;
    } catch (error) {
      this.failure = Problem.of(error);
    }
  }

  render() {
    return html`<div><a class="up" href=${href("admin", "users")}>${icon("arrow-left")}${t("admin.users.all")}</a></div>
      ${this.#content()}`;
  }

  #content() {
    const { user, sessions } = this;
    if (this.failure?.code === "no_such_user") return html`<p class="note" role="alert">${describe(this.failure)}</p>`;
    if (this.failure) return failed(this.failure, () => void this.#load());
    if (!user || !sessions) return loading();
    return html`
      <div class="card profile-head">
        <myim-avatar .name=${user.nickname || user.username} .number=${user.id} .status=${user.online ? "online" : ""} .size=${64}></myim-avatar>
        <div class="profile-names">
          <strong><bdi>${user.nickname || user.username}</bdi> ${userTags(user)}</strong>
          <span class="muted"><bdi>@${user.username}</bdi> · ${t("admin.number", { id: user.id })}</span>
          <span class="muted">
            ${user.online ? t("status.online") : user.last_seen ? html`<span title=${formatFull(user.last_seen)}>${t("admin.seen", { time: formatAgo(user.last_seen) })}</span>` : t("admin.seen.never")}
          </span>
          ${user.disabled_at ? html`<span class="bad-text">${t("admin.users.disabled_since", { time: formatWhen(user.disabled_at) })}</span>` : nothing}
        </div>
      </div>
      ${this.#actions(user)}
      <section class="card" aria-labelledby="user-sessions">
        <h2 id="user-sessions">${t("admin.section.sessions")}</h2>
        ${sessions.length
          ? html`<ul class="items">${sessions.map((session) => sessionItem(session, () => this.#end(session), false))}</ul>`
          : html`<p class="muted">${t("admin.sessions.none")}</p>`}
      </section>
    `;
  }

  /** @param {import("./users.js").AdminUser} user */
  #actions(user) {
    const self = user.id === this.seen.me?.id;
    const { busy } = this;
    return html`<section class="card" aria-labelledby="user-actions">
      <h2 id="user-actions">${t("admin.users.actions")}</h2>
      <div class="buttons">
        ${user.bot ? nothing : html`<button class="button" ?disabled=${busy} @click=${this.#resetPassword}>${icon("key-round")}${t("admin.users.reset_password")}</button>`}
        ${user.bot
          ? nothing
          : html`<button class="button" ?disabled=${busy} @click=${this.#changeRole}>
              ${icon("crown")}${t(user.admin ? "admin.users.take_admin" : "admin.users.make_admin")}
            </button>`}
        ${self
          ? nothing
          : user.disabled_at
            ? html`<button class="button" ?disabled=${busy} @click=${() => this.#do("enable", t("admin.users.enabled"))}>${icon("user-check")}${t("admin.users.enable")}</button>`
            : html`<button class="button danger" ?disabled=${busy} @click=${this.#disable}>${icon("ban")}${t("admin.users.disable")}</button>`}
      </div>
      ${self ? html`<p class="field-hint">${t("admin.users.self")}</p>` : nothing}
    </section>`;
  }

  get #name() {
    return this.user?.username ?? "";
  }

  async #disable() {
    const sure = await confirm({
      title: t("admin.users.disable_title", { name: this.#name }),
      text: t("admin.users.disable_text"),
      action: t("admin.users.disable"),
      danger: true,
    });
    if (sure) await this.#do("disable", t("admin.users.disabled_now"));
  }

  async #changeRole() {
    const role = this.user?.admin ? "user" : "admin";
    const sure = await confirm({
      title: t(`admin.users.role_title.${role}`, { name: this.#name }),
      text: t(`admin.users.role_text.${role}`),
      action: t(role === "admin" ? "admin.users.make_admin" : "admin.users.take_admin"),
      danger: true,
    });
    if (sure) await this.#run(() => admin().put(`/users/${this.userId}/role`, { role }), t("settings.saved"));
  }

  async #resetPassword() {
    const sure = await confirm({
      title: t("admin.users.reset_title", { name: this.#name }),
      text: t("admin.users.reset_text"),
      action: t("admin.users.reset_password"),
      danger: true,
    });
    if (!sure) return;
    const made = await this.#run(() => admin().put(`/users/${this.userId}/password`, {}));
    if (made?.password) await showPassword(this.#name, made.password);
  }

  /** @param {import("./sessions.js").AdminSession} session */
  async #end(session) {
    if (await endSession(session)) await this.#load();
  }

  /** @param {"enable" | "disable"} action @param {string} said */
  #do(action, said) {
    return this.#run(() => admin().post(`/users/${this.userId}/${action}`, undefined), said);
  }

  /** @param {() => Promise<any>} work @param {string} [said] */
  async #run(work, said) {
    this.busy = true;
    try {
      const answer = await work();
      if (said) toast(said);
      await this.#load();
      return answer;
    } catch (error) {
      toast(describe(error), "error");
    } finally {
      this.busy = false;
    }
  }
}

customElements.define("myim-admin-user", AdminUserPage);
