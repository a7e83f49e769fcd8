import { t } from "../../i18n/index.js";
import { Element } from "../../ui/element.js";
import { followWidth, roleOfList } from "../../ui/narrow.js";
import { html, keyed } from "../../vendor/lit.js";
import { conversation } from "../parts.js";
import "./conversation_list.js";

/** Conversations beside each other: the list, and the one that is open. */
export class ChatsPage extends Element {
  select = (/** @type {import("../../types.js").State} */ { route }) => ({ id: route.parts[0], seq: route.query.get("seq") });

  connectedCallback() {
    super.connectedCallback();
    followWidth(this);
  }

  #warmed = false;

  /** Once the list is there, what it opens is loaded before somebody asks for it. */
  updated() {
    if (this.#warmed || !this.seen.listed) return;
    this.#warmed = true;
    conversation.warm();
  }

  render() {
    const { id } = this.seen;
    return html`<div class="panes ${id ? "inside" : ""}">
      <section class="pane" role=${roleOfList(Boolean(id))} aria-label=${t("lists.label")}><myim-conversation-list .current=${id ?? ""}></myim-conversation-list></section>
      <main class="pane">
        ${id ? this.#conversation(id) : html`<myim-no-conversation></myim-no-conversation>`}
      </main>
    </div>`;
  }

  /** @param {string} id */
  #conversation(id) {
    if (!conversation.module) return conversation.awaited(this);
    return keyed(id, html`<myim-conversation .conversationId=${id}></myim-conversation>`);
  }
}

customElements.define("myim-chats-page", ChatsPage);
