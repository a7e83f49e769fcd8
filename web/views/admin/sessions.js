import { describe, formatAgo, formatFull, t } from "../../i18n/index.js";
import { href } from "../../state/router.js";
import { confirm } from "../../ui/dialog.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html, nothing } from "../../vendor/lit.js";
import { deviceIcon, deviceName } from "../device_kind.js";
import { admin } from "./admin_api.js";
import { Paged } from "./paged.js";
import { tag } from "./tag.js";

/** @typedef {{session_id: string, user_id: string, username: string, kind: string, name: string, created_at: string, seen_at: string, expires_at: string, connected: boolean}} AdminSession */

/**
 * All devices that are signed in.
 * @extends {Paged<AdminSession>}
 */
export class AdminSessions extends Paged {
  path = "/sessions";

  render() {
    return this.list(
      ({ session_id }) => session_id,
      (session) => sessionItem(session, () => this.#end(session), true),
      t("admin.none_found"),
    );
  }

  /** @param {AdminSession} session */
  async #end(session) {
    if (await endSession(session)) this.alter((sessions) => sessions.filter((one) => one !== session));
  }
}

/**
 * @param {AdminSession} session
 * @param {() => void} end
 * @param {boolean} withUser whose it is
 */
export function sessionItem(session, end, withUser) {
  const { kind, name, username, user_id, created_at, seen_at, connected } = session;
  const device = deviceName(kind, name);
  return html`<li class="item">
    <span class="item-icon">${icon(deviceIcon(kind))}</span>
    <span class="item-text">
      <strong>
        ${withUser ? html`<a href=${href("admin", "users", user_id)}><bdi>${username}</bdi></a> · ` : nothing}<bdi>${device}</bdi>
        ${connected ? tag(t("admin.sessions.connected"), "good") : nothing}
      </strong>
      <span class="muted">
        <span title=${formatFull(seen_at)}>${t("settings.devices.seen", { time: formatAgo(seen_at) })}</span>
        <span class="dot-between" title=${formatFull(created_at)}>${t("settings.devices.since", { time: formatAgo(created_at) })}</span>
      </span>
    </span>
    <button class="button" aria-label=${t("admin.sessions.end_label", { device, name: username })} @click=${end}>${t("settings.sign_out")}</button>
  </li>`;
}

/** Asks, and signs a device out. @param {AdminSession} session @returns {Promise<boolean>} whether it was done */
export async function endSession({ session_id, kind, name, username }) {
  const sure = await confirm({
    title: t("admin.sessions.end_title"),
    text: t("admin.sessions.end_text", { device: deviceName(kind, name), name: username }),
    action: t("settings.sign_out"),
    danger: true,
  });
  if (!sure) return false;
  try {
    await admin().remove(`/sessions/${session_id}`);
    toast(t("settings.devices.ended", { count: 1 }));
    return true;
  } catch (error) {
    toast(describe(error), "error");
    return false;
  }
}

customElements.define("myim-admin-sessions", AdminSessions);
