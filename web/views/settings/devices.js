import { describe, formatAgo, formatFull, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { confirm } from "../../ui/dialog.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html, repeat } from "../../vendor/lit.js";
import { deviceIcon, deviceName } from "../device_kind.js";

/** @typedef {{session_id: string, current: boolean, kind: string, name: string, created_at: string, seen_at: string, expires_at: string}} Session */

/** Where the account is signed in. */
export class DeviceSettings extends Element {
  static properties = { sessions: { state: true }, failure: { state: true }, busy: { state: true } };

  constructor() {
    super();
    /** @type {Session[] | null} */
    this.sessions = null;
    this.failure = "";
    this.busy = false;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  async #load() {
    try {
      this.sessions = (await app.client?.api.sessions()).items;
      this.failure = "";
    } catch (error) {
      this.failure = describe(error);
    }
  }

  render() {
    const { sessions } = this;
    if (this.failure) {
      return html`<p class="note error" role="alert">${icon("circle-alert")}<span>${this.failure}</span></p>
        <div><button class="button" @click=${this.#load}>${t("action.retry")}</button></div>`;
    }
    if (!sessions) return html`<p class="muted" role="status">${t("app.loading")}</p>`;
    const here = sessions.filter(({ current }) => current);
    const others = sessions.filter(({ current }) => !current);
    return html`
      <section class="card" aria-labelledby="devices-here">
        <h2 id="devices-here">${t("settings.devices.here")}</h2>
        <ul class="items">${here.map((session) => this.#session(session))}</ul>
      </section>
      <section class="card" aria-labelledby="devices-others">
        <h2 id="devices-others">${t("settings.devices.others", { count: others.length })}</h2>
        ${others.length
          ? html`<ul class="items">${repeat(others, ({ session_id }) => session_id, (session) => this.#session(session))}</ul>
              <div><button class="button danger" ?disabled=${this.busy} @click=${() => this.#endAll(others)}>${icon("log-out")}${t("settings.devices.end_others")}</button></div>`
          : html`<p class="muted">${t("settings.devices.no_others")}</p>`}
      </section>
    `;
  }

  /** @param {Session} session */
  #session(session) {
    const { current, kind, name, seen_at, created_at } = session;
    return html`<li class="item">
      <span class="item-icon">${icon(deviceIcon(kind))}</span>
      <span class="item-text">
        <strong dir="auto">${deviceName(kind, name)}</strong>
        <span class="muted">
          ${current ? t("settings.devices.this") : html`<span title=${formatFull(seen_at)}>${t("settings.devices.seen", { time: formatAgo(seen_at) })}</span>`}
          <span class="dot-between" title=${formatFull(created_at)}>${t("settings.devices.since", { time: formatAgo(created_at) })}</span>
        </span>
      </span>
      ${current
        ? html`<button class="button" @click=${signOutHere}>${t("settings.sign_out")}</button>`
        : html`<button
            class="button"
            ?disabled=${this.busy}
            aria-label=${t("settings.devices.end_label", { name: deviceName(kind, name) })}
            @click=${() => this.#end(session)}
          >
            ${t("settings.sign_out")}
          </button>`}
    </li>`;
  }

  /** @param {Session} session */
  async #end(session) {
    const name = deviceName(session.kind, session.name);
    const sure = await confirm({
      title: t("settings.devices.end_title", { name }),
      text: t("settings.devices.end_text"),
      action: t("settings.sign_out"),
      danger: true,
    });
    if (sure) await this.#endEach([session]);
  }

  /** @param {Session[]} others */
  async #endAll(others) {
    const sure = await confirm({
      title: t("settings.devices.end_others"),
      text: t("settings.devices.end_others_text", { count: others.length }),
      action: t("settings.sign_out"),
      danger: true,
    });
    if (sure) await this.#endEach(others);
  }

  /** @param {Session[]} sessions */
  async #endEach(sessions) {
    this.busy = true;
    try {
      for (const { session_id } of sessions) await app.client?.api.endSession(session_id);
      toast(t("settings.devices.ended", { count: sessions.length }));
    } catch (error) {
      toast(describe(error), "error");
    } finally {
      this.busy = false;
    }
    await this.#load();
  }
}

/** Asks, and signs this browser out. */
export async function signOutHere() {
  const waiting = (await app.client?.outbox.waiting()) ?? 0;
  const sure = await confirm({
    title: t("settings.sign_out_here"),
    text: waiting ? t("settings.sign_out_waiting", { count: waiting }) : t("settings.sign_out_text"),
    action: t("settings.sign_out"),
    danger: waiting > 0,
  });
  if (sure) await app.signOut();
}

customElements.define("myim-device-settings", DeviceSettings);
