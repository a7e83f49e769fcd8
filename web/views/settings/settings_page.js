import { html } from "../../vendor/lit.js";
import { SectionsPage } from "../sections.js";
import "./about.js";
import "./accounts.js";
import "./appearance.js";
import "./devices.js";
import "./export.js";
import "./notifications.js";
import "./password.js";
import "./profile.js";

/** What a user can set: the own account, and how this browser behaves. */
export class SettingsPage extends SectionsPage {
  page = "settings";

  /** @returns {import("../sections.js").Section[]} */
  sections() {
    return [
      { name: "profile", icon: "circle-user", group: "settings.group.account", view: () => html`<myim-profile-settings></myim-profile-settings>` },
      { name: "password", icon: "key-round", view: () => html`<myim-password-settings></myim-password-settings>` },
      { name: "devices", icon: "smartphone", view: () => html`<myim-device-settings></myim-device-settings>` },
      { name: "accounts", icon: "users", view: () => html`<myim-account-settings></myim-account-settings>` },
      { name: "export", icon: "download", view: () => html`<myim-export-settings></myim-export-settings>` },
      { name: "notifications", icon: "bell", group: "settings.group.browser", view: () => html`<myim-notification-settings></myim-notification-settings>` },
      { name: "appearance", icon: "sun", view: () => html`<myim-appearance-settings></myim-appearance-settings>` },
      { name: "about", icon: "info", view: () => html`<myim-about-settings></myim-about-settings>` },
    ];
  }
}

customElements.define("myim-settings-page", SettingsPage);
