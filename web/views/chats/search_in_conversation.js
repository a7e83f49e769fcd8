/** @import { Message, State } from "../../types.js" */
import { describe, formatFull, formatShort, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { nameOf } from "../../state/conversations.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { messageLine } from "./message_line.js";

/** What is typed in a row is searched for once. */
const SETTLE_MS = 250;

/** Searches the messages of one conversation. Choosing one tells `found`, with its `seq`. */
export class SearchInConversation extends Element {
  static properties = {
    conversationId: {},
    hits: { state: true },
    next: { state: true },
    busy: { state: true },
    failure: { state: true },
  };

  select = (/** @type {State} */ { users, contacts }) => ({ users, contacts });

  #query = "";
  #search = new AbortController();
  /** @type {number | undefined} */ #soon;

  constructor() {
    super();
    this.conversationId = "";
    /** @type {Message[] | null} */
    this.hits = null;
    /** @type {string | null} */
    this.next = null;
    this.busy = false;
    /** @type {unknown} */
    this.failure = null;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#soon);
    this.#search.abort();
  }

  render() {
    return html`<search class="search-here" @keydown=${this.#keydown}>
      <div class="search-here-field">
        <input class="input" type="search" aria-label=${t("chat.search")} placeholder=${t("chat.search")} @input=${this.#typed} />
        <button class="icon-button" aria-label=${t("action.close")} @click=${this.#close}>${icon("x")}</button>
      </div>
      <p class="muted" role="status">${this.#said()}</p>
      ${this.hits?.length ? html`<ul class="search-hits" aria-label=${t("search.results")}>${this.hits.map((hit) => this.#hit(hit))}</ul>` : nothing}
      ${this.next && !this.busy ? html`<button class="link-button" @click=${() => this.#find(true)}>${t("search.more")}</button>` : nothing}
    </search>`;
  }

  firstUpdated() {
    this.querySelector("input")?.focus();
  }

  #said() {
    if (this.failure) return describe(this.failure);
    if (this.busy) return t("search.searching");
    if (!this.hits) return "";
    return this.hits.length ? t("search.found", { count: this.hits.length }) : t("search.nothing", { query: this.#query });
  }

  /** @param {Message} hit */
  #hit(hit) {
    const { state } = app.store;
    const group = state.conversations.get(this.conversationId)?.group?.id;
    const name = hit.sender === state.me?.id ? t("lists.you") : nameOf(state, hit.sender, group);
    return html`<li>
      <button class="search-hit" @click=${() => this.dispatchEvent(new CustomEvent("found", { detail: hit.seq }))}>
        <bdi class="search-hit-name ellipsis">${name}</bdi>
        <time class="muted" datetime=${hit.time} title=${formatFull(hit.time)}>${formatShort(hit.time)}</time>
        <bdi class="search-hit-text">${around(messageLine(state, hit, group), this.#query)}</bdi>
      </button>
    </li>`;
  }

  /** @param {InputEvent} event */
  #typed = (event) => {
    this.#query = /** @type {HTMLInputElement} */ (event.target).value.trim();
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => void this.#find(false), SETTLE_MS);
  };

  /** @param {boolean} more goes on behind what was found */
  async #find(more) {
    this.#search.abort();
    this.#search = new AbortController();
    const { signal } = this.#search;
    this.failure = null;
    if (!this.#query) {
      this.hits = null;
      this.next = null;
      this.busy = false;
      return;
    }
    this.busy = true;
    const query = { q: this.#query, conversation: this.conversationId, cursor: more ? (this.next ?? undefined) : undefined };
    try {
      const { items, next } = await app.client?.api.search(query, signal);
      if (signal.aborted) return;
      this.hits = more ? [...(this.hits ?? []), ...items] : items;
      this.next = next;
    } catch (error) {
      if (signal.aborted) return;
      this.failure = error;
    }
    this.busy = false;
  }

  /** @param {KeyboardEvent} event */
  #keydown = (event) => {
    if (event.key === "Escape") this.#close();
  };

  #close = () => this.dispatchEvent(new CustomEvent("close", { bubbles: true }));
}

/**
 * The piece of a line in which the first word that was searched for stands, with the word marked.
 * @param {string} text
 * @param {string} query
 */
function around(text, query) {
  const [word = ""] = query.split(/\s+/);
  const at = text.toLocaleLowerCase().indexOf(word.toLocaleLowerCase());
  if (at < 0) return text;
  const from = Math.max(0, at - 30);
  const end = at + word.length;
  return html`${from > 0 ? "…" : ""}${text.slice(from, at)}<mark>${text.slice(at, end)}</mark>${text.slice(end)}`;
}

customElements.define("myim-search-here", SearchInConversation);
