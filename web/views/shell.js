import { describe, t } from "../i18n/index.js";
import { Problem } from "../net/problem.js";
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
  /** Pages that did not come, as when the server was away. @type {Set<string>} */ #failed = new Set();

  render() {
    const { page, inside, me, unread, requests } = this.seen;
    const name = me?.nickname || me?.username || "";
    return html`
      <button class="skip" @click=${this.#skip}>${t("nav.skip")}</button>
      <div class="shell ${inside ? "inside" : ""}">
        <nav class="rail" aria-label=${t("nav.main")}>
          ${this.#link("chats", "message-circle", unread, "nav.unread")} ${this.#link("people", "users", requests, "nav.requests")}
          ${me?.admin ? this.#link("admin", "layout-dashboard") : nothing}
          <span class="rail-space"></span>
          ${this.#link("settings", "settings")}
          <a class="rail-me" href=${href("settings", "profile")} title=${name}>
            <span class="hidden-text">${t("nav.profile", { name })}</span>
            <myim-avatar .name=${name} .number=${me?.id ?? "0"} .picture=${me?.avatar ?? ""} .size=${36}></myim-avatar>
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
   * @param {number} [count] what waits there
   * @param {string} [counted] the key of the words for it
   */
  #link(page, drawing, count = 0, counted = "") {
    const current = this.seen.page === page;
    return html`<a class="rail-link" href=${href(page)} aria-current=${current ? "page" : nothing}>
      ${icon(drawing)}
      <span class="rail-label">${t(`nav.${page}`)}</span>
      ${count > 0
        ? html`<span class="badge" aria-hidden="true">${count > 99 ? "99+" : count}</span><span class="hidden-text">${t(counted, { count })}</span>`
        : nothing}
    </a>`;
  }

  /** Past the rail and what is listed, to what was chosen. The address cannot say that: it is in use. */
  #skip() {
    const mains = /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("main, [role=main], .shell-main"));
    const target = [...mains].findLast((main) => main.checkVisibility());
    if (!target) return;
    target.tabIndex = -1;
    target.focus();
  }

  /** @param {string} page */
  #page(page) {
    if (page in LATER && !this.#loaded.has(page)) {
      if (this.#failed.has(page)) return this.#notLoaded(page);
      void this.#load(/** @type {keyof typeof LATER} */ (page));
      return html`<main class="empty"><p role="status">${t("app.loading")}</p></main>`;
    }
    if (page === "people") return html`<myim-people-page></myim-people-page>`;
    if (page === "settings") return html`<myim-settings-page></myim-settings-page>`;
    if (page === "admin") return html`<myim-admin-page></myim-admin-page>`;
    return html`<myim-chats-page></myim-chats-page>`;
  }

  /** @param {keyof typeof LATER} page */
  async #load(page) {
    try {
      await LATER[page]();
      this.#loaded.add(page);
    } catch {
      this.#failed.add(page);
    }
    this.requestUpdate();
  }

  /** A browser does not load a module again that failed: the page has to. @param {string} page */
  #notLoaded(page) {
    return html`<main class="empty" role="alert">
      ${icon("cloud-off")}
      <h1 class="empty-title">${t(`nav.${page}`)}</h1>
      <p>${describe(new Problem("network", ""))}</p>
      <button class="button" @click=${() => location.reload()}>${icon("rotate-cw")}${t("action.reload")}</button>
    </main>`;
  }
}

customElements.define("myim-shell", Shell);
