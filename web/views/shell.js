import { t } from "../i18n/index.js";
import { app } from "../state/app.js";
import { unreadTotal } from "../state/conversations.js";
import { href } from "../state/router.js";
import { Element } from "../ui/element.js";
import { icon } from "../ui/icon.js";
import { openPart } from "../ui/open_part.js";
import { html, nothing } from "../vendor/lit.js";
import "../ui/avatar.js";
import "./chats/chats_page.js";
import "./link_banner.js";
import { admin, people, settings, switcher } from "./parts.js";

/** The frame around every page: where one can go, and how the connection is. */
export class Shell extends Element {
  select = (/** @type {import("../types.js").State} */ state) => ({
    page: state.route.page,
    inside: state.route.parts.length > 0,
    me: state.me,
    unread: unreadTotal(state),
    requests: state.requests.filter(({ direction }) => direction === "incoming").length,
  });

  connectedCallback() {
    super.connectedCallback();
    addEventListener("keydown", this.#key, { signal: this.lifetime.signal });
  }

  /** Ctrl K goes anywhere. @param {KeyboardEvent} event */
  #key = async (event) => {
    const wanted = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k";
    if (!wanted) return;
    event.preventDefault();
    const loaded = await openPart(switcher);
    if (!document.querySelector("dialog[open]")) await loaded?.openSwitcher();
  };

  render() {
    const { page, inside, me, unread, requests } = this.seen;
    // Without a network it is not known more than who signed in.
    const account = app.client?.account;
    const name = me?.nickname || me?.username || account?.username || "";
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
            <myim-avatar .name=${name} .number=${me?.id ?? account?.user_id ?? "0"} .picture=${me?.avatar ?? ""} .size=${36}></myim-avatar>
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

  /** @param {string} page the first part of the address */
  #page(page) {
    if (page === "people") return this.#later(people, html`<myim-people-page></myim-people-page>`);
    if (page === "settings") return this.#later(settings, html`<myim-settings-page></myim-settings-page>`);
    if (page === "admin") return this.#later(admin, html`<myim-admin-page></myim-admin-page>`);
    return html`<myim-chats-page></myim-chats-page>`;
  }

  /** A page that is loaded when somebody goes there. @param {import("../ui/lazy.js").LazyPart<object>} part @param {unknown} page */
  #later(part, page) {
    return part.module ? page : html`<main>${part.awaited(this)}</main>`;
  }
}

customElements.define("myim-shell", Shell);
