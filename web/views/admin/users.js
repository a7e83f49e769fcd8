import { describe, formatAgo, formatFull, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { href } from "../../state/router.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html, keyed } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { Paged } from "./paged.js";
import { createUser } from "./create_user.js";
import { searchField, selectField, settled } from "./search_field.js";
import "./user.js";
import { userTags } from "./user_tags.js";

/** @typedef {{id: string, username: string, nickname: string, admin: boolean, bot: boolean, disabled_at: string | null, last_seen: string | null, online: boolean}} AdminUser */

/**
 * Accounts of the server; one of them if the address says which.
 * @extends {Paged<AdminUser>}
 */
export class AdminUsers extends Paged {
  static properties = { ...Paged.properties, text: { state: true }, state: { state: true } };

  path = "/users";

  select = (/** @type {import("../../types.js").State} */ { route }) => ({ id: route.parts[1] });

  constructor() {
    super();
    this.text = "";
    this.state = "all";
  }

  #search = settled(() => this.#load());

  render() {
    const { id } = this.seen;
    if (id) return html`${keyed(id, html`<myim-admin-user .userId=${id}></myim-admin-user>`)}`;
    return html`
      <div class="filters">
        ${searchField({
          label: t("admin.users.search"),
          value: this.text,
          change: (text) => {
            this.text = text;
            this.#search(text);
          },
        })}
        ${selectField({
          label: t("admin.users.state"),
          value: this.state,
          options: ["all", "admins", "disabled"].map((state) => [state, t(`admin.users.state.${state}`)]),
          change: (state) => {
            this.state = state;
            this.#load();
          },
        })}
        <button class="button primary" @click=${this.#create}>${icon("plus")}${t("admin.users.create")}</button>
      </div>
      ${this.list(({ id }) => id, userItem, t("admin.none_found"))}
    `;
  }

  /** What is found again may have changed on the page of a user. @param {Map<string, unknown>} changed */
  updated(changed) {
    if (!changed.size && !this.seen.id && this.#left) this.#load();
    this.#left = Boolean(this.seen.id);
  }

  #left = false;

  #load() {
    void this.load({ query: this.text.trim() || undefined, state: this.state });
  }

  async #create() {
    try {
      if (await createUser(app.store.state.server)) this.#load();
    } catch (error) {
      toast(describe(error), "error");
    }
  }
}

/** @param {AdminUser} user */
function userItem(user) {
  const { id, username, nickname, online, last_seen } = user;
  return html`<li class="item">
    <a class="item-link" href=${href("admin", "users", id)}>
      <myim-avatar .name=${nickname || username} .number=${id} .status=${online ? "online" : ""} .size=${40}></myim-avatar>
      <span class="item-text">
        <strong><bdi>${nickname || username}</bdi> ${userTags(user)}</strong>
        <span class="muted">
          <bdi>@${username}</bdi>
          <span class="dot-between">${online ? t("status.online") : last_seen ? html`<span title=${formatFull(last_seen)}>${t("admin.seen", { time: formatAgo(last_seen) })}</span>` : t("admin.seen.never")}</span>
        </span>
      </span>
      ${icon("chevron-right")}
    </a>
  </li>`;
}

customElements.define("myim-admin-users", AdminUsers);
