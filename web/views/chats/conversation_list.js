import { app } from "../../state/app.js";
import { sorted, titleOf } from "../../state/conversations.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";

/** The list of conversations, the newest activity first. */
export class ConversationList extends Element {
  static properties = { current: {} };

  select = (/** @type {import("../../types.js").State} */ { conversations }) => ({ conversations });

  constructor() {
    super();
    this.current = "";
  }

  render() {
    return html`${sorted(this.seen.conversations).map(
      (one) => html`<a href=${href("chats", one.id)}>${titleOf(app.store.state, one)}</a>`,
    )}`;
  }
}

customElements.define("myim-conversation-list", ConversationList);
