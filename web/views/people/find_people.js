/** @import { User } from "../../types.js" */
import { describe, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { openChatWith } from "../chats/open_chat.js";
import { requestContact } from "./contact_actions.js";

const PAUSE_MS = 250;

/** People of the server, by the beginning of a name or by their number. */
export class FindPeople extends Element {
  static properties = { query: { state: true }, users: { state: true }, busy: { state: true }, failure: { state: true } };

  select = (/** @type {import("../../types.js").State} */ { contacts, requests, me }) => ({ contacts, requests, me });

  /** @type {number | undefined} */ #timer;
  #asked = new AbortController();

  constructor() {
    super();
    this.query = "";
    /** @type {User[]} */
    this.users = [];
    this.busy = false;
    /** @type {unknown} */
    this.failure = null;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#asked.abort();
  }

  render() {
    return html`
      <label class="field">
        <span class="field-label">${t("people.find_label")}</span>
        <input
          class="input"
          type="search"
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
          maxlength="80"
          aria-describedby="find-hint"
          @input=${(/** @type {InputEvent} */ event) => this.#typed(/** @type {HTMLInputElement} */ (event.target).value.trim())}
        />
        <span class="field-hint" id="find-hint">${t("people.find_hint")}</span>
      </label>
      <p role="status" class=${this.query && !this.busy && this.users.length ? "hidden-text" : "muted find-status"}>${this.#status()}</p>
      ${this.failure ? html`<p class="note error" role="alert">${describe(this.failure)}</p>` : nothing}
      <ul class="people-cards">${this.users.map((user) => this.#person(user))}</ul>
    `;
  }

  #status() {
    if (!this.query || this.failure) return "";
    if (this.busy) return t("search.searching");
    return this.users.length ? t("search.found", { count: this.users.length }) : t("search.nothing", { query: this.query });
  }

  /** @param {User} user */
  #person(user) {
    const name = user.nickname || user.username;
    return html`<li class="person-card">
      <myim-avatar .name=${name} .number=${user.id} .picture=${user.avatar} .size=${44}></myim-avatar>
      <div class="person-text">
        <a class="person-name" href=${href("people", "user", user.id)}><bdi>${name}</bdi></a>
        <span class="muted">@<bdi>${user.username}</bdi> · ${t("people.number", { number: user.id })}</span>
      </div>
      <div class="person-actions">${this.#action(user)}</div>
    </li>`;
  }

  /** @param {User} user */
  #action(user) {
    const { contacts, requests, me } = this.seen;
    if (user.id === me?.id) return html`<span class="muted">${t("people.oneself")}</span>`;
    if (contacts.has(user.id)) return html`<button class="button" @click=${() => openChatWith(user.id)}>${icon("message-circle")}${t("people.message")}</button>`;
    const open = requests.find((/** @type {import("../../types.js").ContactRequest} */ one) => one.user.id === user.id);
    if (open?.direction === "outgoing") return html`<span class="muted">${t("people.asked")}</span>`;
    if (open) return html`<a class="button primary" href=${href("people", "requests")}>${t("people.answer")}</a>`;
    return html`<button class="button primary" @click=${() => requestContact(user)}>${icon("user-plus")}${t("people.add")}</button>`;
  }

  /** @param {string} query */
  #typed(query) {
    if (query === this.query) return;
    this.query = query;
    clearTimeout(this.#timer);
    this.#asked.abort();
    this.failure = null;
    this.busy = query !== "";
    if (query) this.#timer = setTimeout(() => void this.#ask(query), PAUSE_MS);
    else this.users = [];
  }

  /** @param {string} query */
  async #ask(query) {
    this.#asked = new AbortController();
    const { signal } = this.#asked;
    try {
      const found = await app.client?.api.findUsers(query, signal);
      if (!signal.aborted) this.users = found.items;
    } catch (error) {
      if (!signal.aborted) this.failure = error;
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }
}

customElements.define("myim-find-people", FindPeople);
