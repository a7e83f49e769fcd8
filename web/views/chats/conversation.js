import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";

/** One conversation: its head, its messages, and where one writes. */
export class ConversationView extends Element {
  static properties = { conversationId: {} };

  constructor() {
    super();
    this.conversationId = "";
  }

  render() {
    return html`${this.conversationId}`;
  }
}

customElements.define("myim-conversation", ConversationView);
