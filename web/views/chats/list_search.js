/** @import { Contact, Conversation, Message, User } from "../../types.js" */
import { currentLanguage, describe, formatFull, formatShort, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { nameOf, titleOf } from "../../state/conversations.js";
import { findContacts, findConversations } from "../../state/matching.js";
import { calledBy } from "../../state/namesakes.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { marked } from "../../ui/marked.js";
import { html, nothing } from "../../vendor/lit.js";
import { pictureOf } from "./conversation_row.js";
import { openChatWith } from "./open_chat.js";
import { messageLine } from "./message_line.js";

/** How long somebody types before the server is asked. */
const PAUSE_MS = 250;
/** So many of each kind are worth showing; who looks for another one types more. */
const SHOWN_MAX = 12;

/** What was found for a few words: conversations, people, and messages. */
export class ListSearch extends Element {
  static properties = {
    query: {},
    users: { state: true },
    messages: { state: true },
    next: { state: true },
    busy: { state: true },
    failure: { state: true },
  };

  select = (/** @type {import("../../types.js").State} */ { conversations, contacts, users }) => ({ conversations, contacts, users });

  /** @type {number | undefined} */ #timer;
  #asked = new AbortController();

  constructor() {
    super();
    this.query = "";
    /** @type {User[]} */
    this.users = [];
    /** @type {Message[]} */
    this.messages = [];
    /** @type {string | null} */
    this.next = null;
    this.busy = false;
    /** @type {unknown} */
    this.failure = null;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#asked.abort();
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has("query")) return;
    clearTimeout(this.#timer);
    this.#asked.abort();
    this.#asked = new AbortController();
    this.busy = true;
    this.#timer = setTimeout(() => void this.#ask(), PAUSE_MS);
  }

  async #ask() {
    const { query } = this;
    const { signal } = this.#asked;
    const api = app.client?.api;
    if (!api) return;
    this.failure = null;
    // Signs alone are no word that a message could have.
    const asks = /[\p{L}\p{N}]/u.test(query);
    try {
      const [users, found] = await Promise.all([
        api.findUsers(query, signal),
        asks ? api.search({ q: query }, signal) : { items: [], next: null },
      ]);
      this.users = users.items;
      this.messages = found.items;
      this.next = found.next;
      for (const { sender } of this.messages) app.client?.people.need(sender);
    } catch (error) {
      if (!signal.aborted) this.failure = error;
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }

  #more = async () => {
    const { signal } = this.#asked;
    this.busy = true;
    try {
      const found = await app.client?.api.search({ q: this.query, cursor: this.next ?? undefined }, signal);
      this.messages = [...this.messages, ...found.items];
      this.next = found.next;
      for (const { sender } of found.items) app.client?.people.need(sender);
    } catch (error) {
      if (!signal.aborted) this.failure = error;
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  };

  /** Moves the focus to the first result. */
  focusFirst() {
    /** @type {HTMLElement | null} */ (this.querySelector("a, button"))?.focus();
  }

  render() {
    const { state } = app.store;
    const conversations = findConversations(state, this.query).slice(0, SHOWN_MAX);
    const listed = new Set(conversations.map(({ peer }) => peer?.id));
    const contacts = findContacts(state, this.query, currentLanguage()).filter(({ user }) => !listed.has(user.id)).slice(0, SHOWN_MAX);
    const strangers = this.users.filter(({ id }) => !listed.has(id) && !state.contacts.has(id) && id !== state.me?.id).slice(0, SHOWN_MAX);
    const count = conversations.length + contacts.length + strangers.length + this.messages.length;
    const said = this.busy ? t("search.searching") : count ? t("search.found", { count }) : t("search.nothing", { query: this.query });
    return html`
      <p class=${count || this.failure ? "hidden-text" : "empty"} role="status">${said}</p>
      ${this.failure ? html`<p class="note error" role="alert">${describe(this.failure)}</p>` : nothing}
      <div aria-label=${t("search.results")} role="group" @keydown=${this.#keydown}>
        ${section("search.conversations", conversations.map((one) => this.#conversation(one)))}
        ${section("search.people", [...contacts.map((one) => this.#contact(one)), ...strangers.map((one) => this.#stranger(one))])}
        ${section("search.messages", this.messages.map((one) => this.#message(one)))}
        ${this.next ? html`<button class="button wide" ?disabled=${this.busy} @click=${this.#more}>${t("search.more")}</button>` : nothing}
      </div>
    `;
  }

  /** @param {Conversation} conversation */
  #conversation(conversation) {
    const { state } = app.store;
    const title = titleOf(state, conversation);
    const { name, number, picture, status } = pictureOf(state, conversation);
    return html`<a class="row low" href=${href("chats", conversation.id)}>
      <myim-avatar .name=${name} .number=${number} .picture=${picture} .status=${status} .size=${36}></myim-avatar>
      <bdi class="row-name ellipsis">${marked(title, this.query)}</bdi>
    </a>`;
  }

  /** @param {Contact} contact */
  #contact(contact) {
    const { user } = contact;
    return html`<button class="row low" @click=${() => openChatWith(user.id)}>${this.#person(user, calledBy(contact))}</button>`;
  }

  /** @param {User} user who is no contact */
  #stranger(user) {
    return html`<a class="row low" href=${href("people", "user", user.id)}>${this.#person(user, user.nickname || user.username)}</a>`;
  }

  /** @param {User} user @param {string} name */
  #person(user, name) {
    return html`<myim-avatar .name=${name} .number=${user.id} .picture=${user.avatar} .size=${36}></myim-avatar>
      <span class="row-text">
        <bdi class="row-name ellipsis">${marked(name, this.query)}</bdi>
        <span class="row-last ellipsis">@${marked(user.username, this.query)}</span>
      </span>`;
  }

  /** @param {Message} message */
  #message(message) {
    const { state } = app.store;
    const conversation = state.conversations.get(message.conversation);
    const title = conversation ? titleOf(state, conversation) : "";
    const own = message.sender === state.me?.id;
    const sender = own ? t("lists.you") : nameOf(state, message.sender, conversation?.group?.id);
    const { name, number, picture } = conversation ? pictureOf(state, conversation) : { name: "", number: "0", picture: "" };
    const who = own || conversation?.group ? html`<bdi>${sender}</bdi>: ` : nothing;
    return html`<a class="row" href="${href("chats", message.conversation)}?seq=${message.seq}">
      <myim-avatar .name=${name} .number=${number} .picture=${picture} .size=${44}></myim-avatar>
      <span class="row-text">
        <span class="row-line">
          <bdi class="row-name ellipsis">${title}</bdi>
          <span class="row-space"></span>
          <time class="row-time" datetime=${message.time} title=${formatFull(message.time)}>${formatShort(message.time)}</time>
        </span>
        <span class="row-last two-lines">${who}<bdi>${marked(messageLine(state, message, conversation?.group?.id), this.query)}</bdi></span>
      </span>
    </a>`;
  }

  /** @param {KeyboardEvent} event */
  #keydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const all = [.../** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("a, button"))];
    const next = all.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + step;
    event.preventDefault();
    if (next < 0) this.dispatchEvent(new CustomEvent("leave-up"));
    else all[next]?.focus();
  };
}

/** @param {string} title @param {unknown[]} rows */
function section(title, rows) {
  if (rows.length === 0) return nothing;
  return html`<section class="found">
    <h2 class="found-title">${t(title)}</h2>
    <ul>${rows.map((row) => html`<li>${row}</li>`)}</ul>
  </section>`;
}

customElements.define("myim-list-search", ListSearch);
