import { t } from "../../i18n/index.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { followWidth, roleOfList } from "../../ui/narrow.js";
import { html, keyed } from "../../vendor/lit.js";
import "./blocked.js";
import "./contacts.js";
import "./find.js";
import "./group_profile.js";
import "./group_settings.js";
import "./groups.js";
import "./requests.js";
import "./user_profile.js";

/** Contacts beside what was chosen: somebody's profile, a group, requests, the search for others. */
export class PeoplePage extends Element {
  select = (/** @type {import("../../types.js").State} */ { route }) => ({ route });

  /** What was shown before, as `user/7`. @type {string | null} */ #shown = null;

  connectedCallback() {
    super.connectedCallback();
    followWidth(this);
  }

  updated() {
    const shown = this.seen.route.parts.join("/");
    const before = this.#shown;
    this.#shown = shown;
    if (before === null || before === shown) return;
    // On a phone the list and what was chosen in it take turns: the focus goes with them.
    requestAnimationFrame(() => {
      if (document.activeElement !== document.body && document.activeElement?.checkVisibility()) return;
      const heading = /** @type {HTMLElement | null} */ (this.querySelector("main h2"));
      const rows = /** @type {import("../../ui/rows.js").Rows | null} */ (this.querySelector("myim-contacts myim-rows"));
      if (shown) heading?.focus();
      else rows?.focusLast();
    });
  }

  render() {
    const { parts, query } = this.seen.route;
    return html`<div class="panes ${parts.length ? "inside" : ""}">
      <section class="pane" role=${roleOfList(parts.length > 0)} aria-label=${t("people.title")}><myim-contacts .current=${parts.join("/")}></myim-contacts></section>
      <main class="pane">${this.#detail(parts, query)}</main>
    </div>`;
  }

  /** @param {string[]} parts @param {URLSearchParams} query */
  #detail([section, id = "", part], query) {
    if (section === "requests") return html`<myim-requests></myim-requests>`;
    if (section === "find") return html`<myim-find .what=${query.get("what") === "groups" ? "groups" : "people"}></myim-find>`;
    if (section === "blocked") return html`<myim-blocked></myim-blocked>`;
    if (section === "groups") return html`<myim-groups></myim-groups>`;
    if (section === "user") return keyed(id, html`<myim-user-profile .userId=${id}></myim-user-profile>`);
    if (section === "group" && part === "settings") return keyed(id, html`<myim-group-settings .groupId=${id}></myim-group-settings>`);
    if (section === "group") return keyed(id, html`<myim-group-profile .groupId=${id}></myim-group-profile>`);
    return html`<div class="empty">${icon("users", "large")}<p>${t("people.choose")}</p></div>`;
  }
}

customElements.define("myim-people-page", PeoplePage);
