import { t } from "../i18n/index.js";
import { unreadTotal } from "../state/conversations.js";
import { href } from "../state/router.js";
import { Element } from "../ui/element.js";
import { icon } from "../ui/icon.js";
import { html, nothing } from "../vendor/lit.js";
import "../ui/avatar.js";
import "./chats/chats_page.js";
import "./link_banner.js";

/** Pages that are loaded when somebody goes there, by the first part of the address. */
const LATER = {
  people: () => import("./people/people_page.js"),
  settings: () => import("./settings/settings_page.js"),
  admin: () => import("./admin/admin_page.js"),
};

/** The frame around every page: where one can go, and how the connection is. */
export class Shell extends Element {
  select = (/** @type {import("../types.js").State} */ state) => ({
    page: state.route.page,
    inside: state.route.parts.length > 0,
    me: state.me,
    unread: unreadTotal(state),
    requests: state.requests.filter(({ direction }) => direction === "incoming").length,
  });

  /** @type {Set<string>} */ #loaded = new Set(["chats"]);

  render() {
    const { page, inside, me, unread, requests } = this.seen;
    return html`
      <div class="shell ${inside ? "inside" : ""}">
        <nav class="rail" aria-label=${t("nav.main")}>
          ${this.#link("chats", "message-circle", unread)} ${this.#link("people", "users", requests)}
          ${me?.admin ? this.#link("admin", "layout-dashboard", 0) : nothing}
          <span class="rail-space"></span>
          ${this.#link("settings", "settings", 0)}
          <a class="rail-me" href=${href("settings", "profile")} aria-label=${me?.nickname || me?.username || ""}>
            <myim-avatar .name=${me?.nickname || me?.username || ""} .number=${me?.id ?? "0"} .picture=${me?.avatar ?? ""} .size=${36}></myim-avatar>
          </a>
        </nav>
        <div class="shell-main">
          <myim-link-banner></myim-link-banner>
          ${this.#page(page)}
        </div>
      </div>
    `;
  }

  /**
   * @param {string} page
   * @param {keyof typeof import("../vendor/icons.js").icons} drawing
   * @param {number} count
   */
  #link(page, drawing, count) {
    const current = this.seen.page === page;
    return html`<a class="rail-link" href=${href(page)} aria-current=${current ? "page" : nothing}>
      ${icon(drawing)}
      <span class="rail-label">${t(`nav.${page}`)}</span>
      ${count > 0 ? html`<span class="badge">${count > 99 ? "99+" : count}</span>` : nothing}
    </a>`;
  }

  /** @param {string} page */
  #page(page) {
    if (page in LATER && !this.#loaded.has(page)) {
      const load = LATER[/** @type {keyof typeof LATER} */ (page)];
      load().then(() => {
        this.#loaded.add(page);
        this.requestUpdate();
      });
      return html`<p class="empty">${t("app.loading")}</p>`;
    }
    if (page === "people") return html`<myim-people-page></myim-people-page>`;
    if (page === "settings") return html`<myim-settings-page></myim-settings-page>`;
    if (page === "admin") return html`<myim-admin-page></myim-admin-page>`;
    return html`<myim-chats-page></myim-chats-page>`;
  }
}

customElements.define("myim-shell", Shell);
