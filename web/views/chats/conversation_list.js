/** @import { Conversation } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { sorted } from "../../state/conversations.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { onAsked } from "../../ui/long_press.js";
import { openPart } from "../../ui/open_part.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import "../../ui/rows.js";
import { newChat } from "../parts.js";
import { openConversationMenu } from "./conversation_menu.js";
import { conversationRow } from "./conversation_row.js";
import "./list_search.js";
import "./no_conversation.js";

/** How tall a conversation is, in rem; the styles know it from the rows. */
const ROW_REM = 4.25;

/** The list of conversations, the newest activity first, and the search in everything. */
export class ConversationList extends Element {
  static properties = { current: {}, query: { state: true } };

  select = (/** @type {import("../../types.js").State} */ state) => ({
    conversations: state.conversations,
    loaded: state.conversationsLoaded,
    offline: state.link === "offline",
    contacts: state.contacts,
    users: state.users,
    members: state.members,
    presence: state.presence,
    typing: state.typing,
    drafts: state.drafts,
    pending: state.pending,
    me: state.me,
  });

  /** @type {Map<string, Conversation> | null} */ #sortedFrom = null;
  /** @type {Conversation[]} */ #sorted = [];

  constructor() {
    super();
    this.current = "";
    this.query = "";
  }

  connectedCallback() {
    super.connectedCallback();
    onAsked(this, this.lifetime.signal, (target, point) => this.#openMenu(target, point));
  }

  /** A device that is new hears of thousands of messages in a row: they are drawn once a frame. */
  async scheduleUpdate() {
    await new Promise(requestAnimationFrame);
    return super.scheduleUpdate();
  }

  willUpdate() {
    const { conversations } = this.seen;
    if (conversations === this.#sortedFrom) return;
    this.#sortedFrom = conversations;
    this.#sorted = sorted(conversations);
    app.client?.presence.need(this.#sorted.map(({ peer }) => peer?.id));
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    // On a phone what had the focus is gone when one comes back to the list.
    const isBack = changed.has("current") && !this.current && changed.get("current");
    if (isBack && document.activeElement === document.body) this.#rows?.focusLast();
  }

  get #rows() {
    return /** @type {import("../../ui/rows.js").Rows | null} */ (this.querySelector("myim-rows"));
  }

  render() {
    return html`
      <header class="pane-head">
        <h1>${t("lists.title")}</h1>
        <button class="icon-button" aria-label=${t("lists.new")} title=${t("lists.new")} @click=${async () => (await openPart(newChat))?.openNewChat()}>${icon("message-square-plus")}</button>
      </header>
      <search class="list-search">
        ${icon("search")}
        <input
          class="input"
          type="search"
          autocomplete="off"
          spellcheck="false"
          aria-label=${t("lists.search")}
          placeholder=${t("action.search")}
          maxlength="80"
          .value=${this.query}
          @input=${(/** @type {InputEvent} */ event) => (this.query = /** @type {HTMLInputElement} */ (event.target).value)}
          @keydown=${this.#searchKey}
        />
        ${this.query ? html`<button class="icon-button" aria-label=${t("lists.clear")} @click=${this.#clear}>${icon("x")}</button>` : nothing}
      </search>
      ${this.query.trim()
        ? html`<myim-list-search class="scroller" .query=${this.query.trim()} @leave-up=${this.#toField}></myim-list-search>`
        : this.#list()}
    `;
  }

  #list() {
    if (this.#sorted.length === 0) {
      if (this.seen.loaded) return this.#empty();
      return html`<p class="empty">${t(this.seen.offline ? "lists.not_loaded" : "app.loading")}</p>`;
    }
    return html`<myim-rows
      class="scroller"
      .label=${t("lists.label")}
      .items=${this.#sorted}
      .key=${idOf}
      .height=${tall}
      .current=${this.current}
      .draw=${(/** @type {Conversation} */ one, /** @type {0 | -1} */ tabindex) => this.#row(one, tabindex)}
      @leave-up=${this.#toField}
    ></myim-rows>`;
  }

  /** @param {Conversation} conversation @param {0 | -1} tabindex */
  #row(conversation, tabindex) {
    return conversationRow(app.store.state, conversation, {
      tabindex,
      current: conversation.id === this.current,
      more: (event) => openConversationMenu(/** @type {HTMLElement} */ (event.currentTarget), conversation),
    });
  }

  #empty() {
    return html`<div class="empty">
      ${icon("message-circle", "large")}
      <h2>${t("lists.empty")}</h2>
      <p>${t("lists.empty_hint")}</p>
      <a class="button primary" href=${href("people", "find")}>${icon("user-plus")}${t("lists.find")}</a>
    </div>`;
  }

  /** @param {globalThis.Element} target @param {{x: number, y: number}} point */
  #openMenu(target, point) {
    const row = /** @type {HTMLElement | null} */ (target.closest("[data-conversation]"));
    const conversation = row && app.store.state.conversations.get(row.dataset.conversation ?? "");
    if (!conversation) return false;
    openConversationMenu(point, conversation);
    return true;
  }

  #clear = () => {
    this.query = "";
    this.#toField();
  };

  #toField = () => {
    /** @type {HTMLElement | null} */ (this.querySelector(".list-search input"))?.focus();
  };

  /** @param {KeyboardEvent} event */
  #searchKey = (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape" && this.query) {
      event.preventDefault();
      this.query = "";
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      /** @type {any} */ (this.querySelector("myim-rows, myim-list-search"))?.focusFirst();
    }
  };
}

/** @param {Conversation} conversation */
function idOf({ id }) {
  return id;
}

function tall() {
  return ROW_REM;
}

customElements.define("myim-conversation-list", ConversationList);
