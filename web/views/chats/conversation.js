/** @import { Message, Route, ServerEvent, State } from "../../types.js" */
/** @import { MessageList } from "./message_list.js" */
import { t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { nameOf } from "../../state/conversations.js";
import { go, href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { html, nothing } from "../../vendor/lit.js";
import { messageLine } from "./message_line.js";
import "./composer.js";
import "./conversation_head.js";
import "./message_list.js";
import "./search_in_conversation.js";

/** A nudge that is older came while nobody was here. */
const NUDGE_MS = 60_000;

/** One conversation: its head, its messages, and where one writes. */
export class ConversationView extends Element {
  static properties = {
    conversationId: {},
    editing: { state: true },
    searching: { state: true },
    said: { state: true },
  };

  select = (/** @type {State} */ { route }) => ({ route });

  /** The address that was followed last. @type {Route | null} */ #followed = null;

  constructor() {
    super();
    this.conversationId = "";
    /** @type {Message | null} */
    this.editing = null;
    this.searching = false;
    /** What a screen reader says. */
    this.said = "";
  }

  connectedCallback() {
    super.connectedCallback();
    const { signal } = this.lifetime;
    const end = app.client?.onEvent((event) => this.#hear(event));
    signal.addEventListener("abort", () => end?.());
    for (const change of ["focus", "blur"]) addEventListener(change, this.#tell, { signal });
    document.addEventListener("visibilitychange", this.#tell, { signal });
    addEventListener("pagehide", () => app.client?.link.shows({ open: null, focused: false }), { signal });
    addEventListener("pageshow", this.#tell, { signal });
    this.#tell();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    app.client?.link.shows({ open: null, focused: false });
  }

  render() {
    return html`<section
      class="conversation"
      @edit-message=${(/** @type {CustomEvent<Message | null>} */ event) => (this.editing = event.detail)}
      @write=${this.#write}
      @search-here=${() => (this.searching = !this.searching)}
      @to-end=${this.#stay}
    >
      <myim-conversation-head .conversationId=${this.conversationId} .searching=${this.searching}></myim-conversation-head>
      ${this.searching
        ? html`<myim-search-here
            .conversationId=${this.conversationId}
            @found=${(/** @type {CustomEvent<number>} */ event) => void this.#list?.show(event.detail)}
            @close=${() => (this.searching = false)}
          ></myim-search-here>`
        : nothing}
      <myim-message-list .conversationId=${this.conversationId}></myim-message-list>
      <myim-composer .conversationId=${this.conversationId} .editing=${this.editing}></myim-composer>
      <div class="hidden-text" role="status">${this.said}</div>
    </section>`;
  }

  updated() {
    const { route } = this.seen;
    if (route === this.#followed || route.parts[0] !== this.conversationId) return;
    this.#followed = route;
    const seq = Number(route.query.get("seq"));
    if (Number.isSafeInteger(seq) && seq > 0) void this.#list?.show(seq);
  }

  get #list() {
    return /** @type {MessageList | null} */ (this.querySelector("myim-message-list"));
  }

  #write = async () => {
    const composer = /** @type {Element | null} */ (this.querySelector("myim-composer"));
    await composer?.updateComplete;
    composer?.querySelector("textarea")?.focus();
  };

  /** After going to the end, the address names no message any more. */
  #stay = () => {
    if (this.seen.route.query.has("seq")) go(href("chats", this.conversationId), { replace: true });
  };

  /** Tells the other tabs and the server what is looked at. */
  #tell = () => {
    const focused = document.visibilityState === "visible" && document.hasFocus();
    app.client?.link.shows({ open: this.conversationId, focused });
  };

  /** @param {ServerEvent} event */
  #hear({ event, conversation, message }) {
    if (event !== "message" || conversation !== this.conversationId || message.sender === app.client?.account.user_id) return;
    const { state } = app.store;
    const group = state.conversations.get(conversation)?.group?.id;
    const name = nameOf(state, message.sender, group);
    const nudged = /** @type {Message} */ (message).segments.some(({ type }) => type === "nudge");
    const live = Date.now() - Date.parse(message.time) < NUDGE_MS;
    if (!live) return;
    this.said = nudged ? t("chat.nudged", { name }) : t("lists.who", { who: name, text: messageLine(state, message, group) });
    if (nudged && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.#shake();
  }

  #shake() {
    const places = [0, -10, 9, -8, 7, -5, 4, -2, 0].map((x) => ({ transform: `translateX(${x}px)` }));
    this.querySelector(".conversation")?.animate(places, { duration: 500, easing: "ease-out" });
  }
}

customElements.define("myim-conversation", ConversationView);
