/** @import { Contact, Conversation } from "../../types.js" */
import { currentLanguage, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { titleOf } from "../../state/conversations.js";
import { contactName, findContacts, findConversations } from "../../state/matching.js";
import { go, href } from "../../state/router.js";
import { openDialog } from "../../ui/dialog.js";
import { Element } from "../../ui/element.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { pictureOf } from "./conversation_row.js";
import { openChatWith } from "./open_chat.js";

/** Who looks for one further down types more. */
const SHOWN_MAX = 40;

/**
 * @typedef {object} Place
 * @property {string} id
 * @property {string} title
 * @property {{name: string, number: string, picture: string, status: string}} picture
 * @property {() => void} go
 */

/** Goes to a conversation, a contact or a group by typing a part of its name. */
export async function openSwitcher() {
  /** @type {Place | undefined} */
  const place = await openDialog({
    title: t("switcher.title"),
    classes: "tall",
    content: (close) => html`<myim-switcher .chosen=${close}></myim-switcher>`,
  });
  place?.go();
}

class Switcher extends Element {
  static properties = { chosen: { attribute: false }, query: { state: true }, at: { state: true } };

  select = (/** @type {import("../../types.js").State} */ { conversations, contacts, presence }) => ({ conversations, contacts, presence });

  /** @type {Place[]} */ #places = [];

  constructor() {
    super();
    /** @type {(place: Place) => void} */
    this.chosen = () => {};
    this.query = "";
    /** Which of the places Enter goes to. */
    this.at = 0;
  }

  willUpdate() {
    const { state } = app.store;
    const conversations = findConversations(state, this.query).filter(({ hidden }) => !hidden || this.query.trim());
    const listed = new Set(conversations.map(({ peer }) => peer?.id));
    const contacts = findContacts(state, this.query, currentLanguage()).filter(({ user }) => !listed.has(user.id));
    this.#places = [...conversations.map(ofConversation), ...contacts.map(ofContact)].slice(0, SHOWN_MAX);
    this.at = Math.min(this.at, Math.max(0, this.#places.length - 1));
  }

  render() {
    const places = this.#places;
    return html`
      <input
        class="input"
        role="combobox"
        autocomplete="off"
        spellcheck="false"
        autofocus
        aria-label=${t("switcher.label")}
        aria-expanded=${places.length > 0}
        aria-controls="switcher-places"
        aria-autocomplete="list"
        aria-activedescendant=${places.length ? `switcher-${this.at}` : nothing}
        placeholder=${t("switcher.hint")}
        @input=${(/** @type {InputEvent} */ event) => {
          this.query = /** @type {HTMLInputElement} */ (event.target).value;
          this.at = 0;
        }}
        @keydown=${this.#keydown}
      />
      <ul class="scroller places" id="switcher-places" role="listbox" aria-label=${t("switcher.label")}>
        ${places.map((place, at) => this.#place(place, at))}
      </ul>
      <p class=${places.length ? "hidden-text" : "empty"} role="status">
        ${places.length ? t("search.found", { count: places.length }) : t("switcher.nothing")}
      </p>
    `;
  }

  /** @param {Place} place @param {number} at */
  #place(place, at) {
    const { name, number, picture, status } = place.picture;
    return html`<li
      class="row low ${at === this.at ? "chosen" : ""}"
      id="switcher-${at}"
      role="option"
      aria-selected=${at === this.at}
      @click=${() => this.chosen(place)}
      @pointermove=${() => (this.at = at)}
    >
      <myim-avatar .name=${name} .number=${number} .picture=${picture} .status=${status} .size=${36}></myim-avatar>
      <bdi class="row-name ellipsis">${place.title}</bdi>
    </li>`;
  }

  updated() {
    this.querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #keydown = (event) => {
    const { length } = this.#places;
    if (event.isComposing || length === 0) return;
    const next = { ArrowDown: this.at + 1, ArrowUp: this.at - 1, PageDown: this.at + 8, PageUp: this.at - 8 }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      const turns = event.key.startsWith("Arrow");
      this.at = turns ? (next + length) % length : Math.min(Math.max(0, next), length - 1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const place = this.#places[this.at];
      if (place) this.chosen(place);
    }
  };
}

/** @param {Conversation} conversation @returns {Place} */
function ofConversation(conversation) {
  const { state } = app.store;
  return {
    id: conversation.id,
    title: titleOf(state, conversation),
    picture: pictureOf(state, conversation),
    go: () => go(href("chats", conversation.id)),
  };
}

/** @param {Contact} contact @returns {Place} */
function ofContact(contact) {
  const { user } = contact;
  const name = contactName(app.store.state, contact);
  const status = app.store.state.presence.get(user.id)?.status ?? "";
  return { id: user.id, title: name, picture: { name, number: user.id, picture: user.avatar, status }, go: () => void openChatWith(user.id) };
}

customElements.define("myim-switcher", Switcher);
