import { t } from "../../i18n/index.js";
import { icon } from "../../ui/icon.js";
import { html } from "../../vendor/lit.js";
import { SectionsPage } from "../sections.js";
import "./audit.js";
import "./config.js";
import "./errors.js";
import "./groups.js";
import "./invites.js";
import "./log_check.js";
import "./overview.js";
import "./sessions.js";
import "./storage.js";
import "./upgrades.js";
import "./users.js";

/** What administrators of the server see and do. */
export class AdminPage extends SectionsPage {
  page = "admin";

  /** @returns {import("../sections.js").Section[]} */
  sections() {
    return [
      { name: "overview", icon: "activity", group: "admin.group.server", view: () => html`<myim-admin-overview></myim-admin-overview>` },
      { name: "storage", icon: "folder", view: () => html`<myim-admin-storage></myim-admin-storage>` },
      { name: "users", icon: "users", group: "admin.group.people", view: () => html`<myim-admin-users></myim-admin-users>` },
      { name: "sessions", icon: "smartphone", view: () => html`<myim-admin-sessions></myim-admin-sessions>` },
      { name: "groups", icon: "hash", view: () => html`<myim-admin-groups></myim-admin-groups>` },
      { name: "invites", icon: "user-plus", view: () => html`<myim-admin-invites></myim-admin-invites>` },
      { name: "upgrades", icon: "package", group: "admin.group.care", view: () => html`<myim-admin-upgrades></myim-admin-upgrades>` },
      { name: "errors", icon: "triangle-alert", view: () => html`<myim-admin-errors></myim-admin-errors>` },
      { name: "config", icon: "server", view: () => html`<myim-admin-config></myim-admin-config>` },
      { name: "audit", icon: "file-text", view: () => html`<myim-admin-audit></myim-admin-audit>` },
      { name: "log_check", icon: "shield", view: () => html`<myim-admin-log-check></myim-admin-log-check>` },
    ];
  }

  render() {
    const { me } = this.seen;
    if (!me) return html`<main class="empty"><p role="status">${t("app.loading")}</p></main>`;
    if (!me.admin) {
      return html`<main class="empty">${icon("lock")}<h1 class="empty-title">${t("admin.title")}</h1><p>${t("error.not_an_admin")}</p></main>`;
    }
    return super.render();
  }
}

customElements.define("myim-admin-page", AdminPage);
