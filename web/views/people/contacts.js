/** @import { Contact, State } from "../../types.js" */
import { currentLanguage, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { contactName, findContacts } from "../../state/matching.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { onAsked } from "../../ui/long_press.js";
import { openMenu } from "../../ui/menu.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import "../../ui/rows.js";
import { listName, openContactMenu } from "./contact_actions.js";
import { openCreateGroup } from "./create_group_dialog.js";
import { openLists } from "./lists_dialog.js";

/**
 * @typedef {{kind: "link", section: string, drawing: keyof typeof import("../../vendor/icons.js").icons, count: number}} LinkItem
 * @typedef {{kind: "list", name: string, count: number, closed: boolean}} ListItem
 * @typedef {{kind: "contact", contact: Contact}} ContactItem
 * @typedef {LinkItem | ListItem | ContactItem} Item
 */

/** How tall they are, in rem. */
const HEIGHTS = { link: 3, list: 2.5, contact: 3.75 };

/** The contacts in their lists, and the ways to requests, groups and others. */
export class Contacts extends Element {
  static properties = { current: {}, query: { state: true }, closed: { state: true } };

  select = (/** @type {State} */ state) => ({
    contacts: state.contacts,
    lists: state.contactLists,
    presence: state.presence,
    loaded: state.contactsLoaded,
    requests: state.requests.filter(({ direction }) => direction === "incoming").length,
    asked: state.requests.filter(({ direction }) => direction === "outgoing").length,
  });

  constructor() {
    super();
    /** What stands beside it, as `user/7`. */
    this.current = "";
    this.query = "";
    /** Lists whose contacts are not shown. @type {Set<string>} */
    this.closed = new Set();
  }

  connectedCallback() {
    super.connectedCallback();
    onAsked(this, this.lifetime.signal, (target, point) => {
      const row = /** @type {HTMLElement | null} */ (target.closest("[data-user]"));
      const contact = row && app.store.state.contacts.get(row.dataset.user ?? "");
      if (contact) openContactMenu(point, contact);
      return Boolean(contact);
    });
  }

  render() {
    const items = this.#items();
    return html`
      <header class="pane-head">
        <h1>${t("people.title")}</h1>
        <a class="icon-button" href=${href("people", "find")} aria-label=${t("people.find")} title=${t("people.find")}>${icon("user-plus")}</a>
        <button class="icon-button" aria-haspopup="menu" aria-label=${t("action.more")} @click=${this.#more}>${icon("ellipsis-vertical")}</button>
      </header>
      <search class="list-search">
        ${icon("search")}
        <input
          class="input"
          type="search"
          autocomplete="off"
          spellcheck="false"
          aria-label=${t("people.filter")}
          placeholder=${t("people.filter")}
          @input=${(/** @type {InputEvent} */ event) => (this.query = /** @type {HTMLInputElement} */ (event.target).value)}
          @keydown=${(/** @type {KeyboardEvent} */ event) => {
            if (event.key !== "ArrowDown") return;
            event.preventDefault();
            /** @type {any} */ (this.querySelector("myim-rows"))?.focusFirst();
          }}
        />
      </search>
      <myim-rows
        class="scroller"
        .label=${t("people.contacts")}
        .items=${items}
        .key=${keyOf}
        .height=${heightOf}
        .current=${this.current}
        .draw=${(/** @type {Item} */ item, /** @type {0 | -1} */ tabindex) => this.#row(item, tabindex)}
        @leave-up=${() => /** @type {HTMLElement | null} */ (this.querySelector("input"))?.focus()}
      ></myim-rows>
      ${this.#nobody(items)}
    `;
  }

  /** @returns {Item[]} */
  #items() {
    const { lists, requests } = this.seen;
    const query = this.query.trim();
    const found = findContacts(app.store.state, query, currentLanguage());
    app.client?.presence.need(found.map(({ user }) => user.id));
    if (query) return found.map(ofContact);
    /** @type {Item[]} */
    const items = [
      { kind: "link", section: "requests", drawing: "user-check", count: requests },
      { kind: "link", section: "groups", drawing: "users", count: 0 },
      { kind: "link", section: "blocked", drawing: "ban", count: 0 },
    ];
    for (const name of lists) {
      const inside = found.filter(({ list }) => list === name);
      if (inside.length === 0 && lists.length === 1) continue;
      const closed = this.closed.has(name);
      items.push({ kind: "list", name, count: inside.length, closed });
      if (!closed) items.push(...inside.map(ofContact));
    }
    return items;
  }

  /** @param {Item} item @param {0 | -1} tabindex */
  #row(item, tabindex) {
    if (item.kind === "link") return this.#link(item, tabindex);
    if (item.kind === "list") return this.#list(item, tabindex);
    return this.#contact(item.contact, tabindex);
  }

  /** @param {LinkItem} item @param {0 | -1} tabindex */
  #link({ section, drawing, count }, tabindex) {
    const current = this.current === section;
    return html`<a class="row low ${current ? "current" : ""}" href=${href("people", section)} tabindex=${tabindex} aria-current=${current ? "page" : nothing}>
      <span class="row-drawing">${icon(drawing)}</span>
      <span class="ellipsis">${t(`people.${section}`)}</span>
      <span class="row-space"></span>
      ${count ? html`<span class="badge">${count}</span>` : nothing}
    </a>`;
  }

  /** @param {ListItem} item @param {0 | -1} tabindex */
  #list({ name, count, closed }, tabindex) {
    return html`<button class="row low list-head" tabindex=${tabindex} aria-expanded=${!closed} @click=${() => this.#fold(name)}>
      ${icon(closed ? "chevron-right" : "chevron-down", closed ? "turns" : "")}
      <bdi class="ellipsis">${listName(name)}</bdi>
      <span class="muted">${count}</span>
    </button>`;
  }

  /** @param {Contact} contact @param {0 | -1} tabindex */
  #contact(contact, tabindex) {
    const { user } = contact;
    const name = contactName(app.store.state, contact);
    const status = this.seen.presence.get(user.id)?.status ?? "";
    const current = this.current === `user/${user.id}`;
    return html`<a
        class="row ${current ? "current" : ""}"
        href=${href("people", "user", user.id)}
        data-user=${user.id}
        tabindex=${tabindex}
        aria-current=${current ? "page" : nothing}
      >
        <myim-avatar .name=${name} .number=${user.id} .picture=${user.avatar} .status=${status} .size=${40}></myim-avatar>
        <span class="row-text">
          <span class="row-line">
            <bdi class="row-name ellipsis">${name}</bdi>
            ${user.bot ? html`<span class="people-tag">${t("people.bot")}</span>` : nothing}
          </span>
          <span class="row-last ellipsis"><bdi>${user.signature || (status ? t(`status.${status}`) : "")}</bdi></span>
        </span>
        ${status && user.signature ? html`<span class="hidden-text">${t(`status.${status}`)}</span>` : nothing}
      </a>
      <button
        class="icon-button row-more"
        tabindex=${tabindex}
        aria-haspopup="menu"
        aria-label=${t("people.more_about", { name })}
        @click=${(/** @type {Event} */ event) => openContactMenu(/** @type {HTMLElement} */ (event.currentTarget), contact)}
      >
        ${icon("ellipsis-vertical")}
      </button>`;
  }

  /** @param {Item[]} items */
  #nobody(items) {
    if (!this.seen.loaded || items.some(({ kind }) => kind === "contact")) return nothing;
    if (this.query.trim()) return html`<p class="empty" role="status">${t("people.no_match")}</p>`;
    const { contacts, asked } = this.seen;
    if (contacts.size) return nothing;
    return html`<div class="empty">
      <p>${asked ? t("people.none_but_asked", { count: asked }) : t("people.none")}</p>
      <a class="button primary" href=${href("people", "find")}>${icon("user-plus")}${t("people.find")}</a>
    </div>`;
  }

  /** @param {string} name */
  #fold(name) {
    const closed = new Set(this.closed);
    if (!closed.delete(name)) closed.add(name);
    this.closed = closed;
  }

  /** @param {Event} event */
  #more = (event) => {
    openMenu(/** @type {HTMLElement} */ (event.currentTarget), t("action.more"), [
      { label: t("people.new_group"), icon: "users", run: () => void openCreateGroup() },
      { label: t("people.manage_lists"), icon: "list", run: () => void openLists() },
    ]);
  };
}

/** @param {Contact} contact @returns {ContactItem} */
function ofContact(contact) {
  return { kind: "contact", contact };
}

/** @param {Item} item as `current` names what is shown */
function keyOf(item) {
  if (item.kind === "contact") return `user/${item.contact.user.id}`;
  return item.kind === "list" ? `list/${item.name}` : item.section;
}

/** @param {Item} item */
function heightOf({ kind }) {
  return HEIGHTS[kind];
}

customElements.define("myim-contacts", Contacts);
