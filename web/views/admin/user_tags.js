import { t } from "../../i18n/index.js";
import { html, nothing } from "../../vendor/lit.js";
import { tag } from "./tag.js";

/** What an account is besides a user's. @param {import("./users.js").AdminUser} user */
export function userTags({ admin, bot, disabled_at }) {
  return html`${admin ? tag(t("admin.users.admin"), "accent") : nothing} ${bot ? tag(t("admin.users.bot")) : nothing}
  ${disabled_at ? tag(t("admin.users.disabled"), "bad") : nothing}`;
}
