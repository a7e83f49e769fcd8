/** @import { Conversation, Presence, State } from "../../types.js" */
import { formatAgo, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { nameOf, titleOf } from "../../state/conversations.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { openConversationMenu, profileOf } from "./conversation_menu.js";
import "../../ui/avatar.js";

/** How long ago somebody was here is told in minutes. */
const MINUTE_MS = 60_000;

/** Who else is in a conversation, what they do now, and what can be done with it. */
export class ConversationHead extends Element {
  static properties = { conversationId: {}, searching: { type: Boolean } };

  select = (/** @type {State} */ state) => {
    const conversation = state.conversations.get(this.conversationId);
    return {
      conversation,
      presence: state.presence.get(conversation?.peer?.id ?? ""),
      typing: state.typing.get(this.conversationId),
      contacts: state.contacts,
      users: state.users,
      members: state.members.get(conversation?.group?.id ?? ""),
      blocks: state.blocks,
    };
  };

  constructor() {
    super();
    this.conversationId = "";
    this.searching = false;
  }

  connectedCallback() {
    super.connectedCallback();
    const timer = setInterval(() => this.requestUpdate(), MINUTE_MS);
    this.lifetime.signal.addEventListener("abort", () => clearInterval(timer));
  }

  render() {
    /** @type {{conversation: Conversation | undefined, presence: Presence | undefined}} */
    const { conversation, presence } = /** @type {any} */ (this.seen);
    return html`<header class="pane-head conversation-head">
      <a class="icon-button back" href=${href("chats")} aria-label=${t("action.back")}>${icon("arrow-left")}</a>
      ${conversation ? this.#who(conversation, presence) : html`<span class="conversation-who"></span>`}
      <span class="hidden-text" role="status">${conversation ? this.#typing(conversation) : nothing}</span>
      <button
        class="icon-button"
        aria-label=${t("chat.search")}
        aria-expanded=${this.searching}
        ?disabled=${!conversation}
        @click=${() => this.dispatchEvent(new CustomEvent("search-here", { bubbles: true }))}
      >
        ${icon("search")}
      </button>
      <button
        class="icon-button"
        aria-label=${t("chat.more")}
        aria-haspopup="menu"
        ?disabled=${!conversation}
        @click=${(/** @type {MouseEvent} */ event) => conversation && openConversationMenu(/** @type {HTMLElement} */ (event.currentTarget), conversation)}
      >
        ${icon("ellipsis-vertical")}
      </button>
    </header>`;
  }

  /** @param {Conversation} conversation @param {Presence | undefined} presence */
  #who(conversation, presence) {
    const { group, peer, notify } = conversation;
    const name = titleOf(app.store.state, conversation);
    return html`<a class="conversation-who" href=${profileOf(conversation)}>
      <myim-avatar
        .name=${name}
        .number=${group?.id ?? peer?.id ?? "0"}
        .picture=${group?.avatar ?? peer?.avatar ?? ""}
        .size=${40}
        .status=${presence?.status ?? ""}
      ></myim-avatar>
      <span class="conversation-names">
        <h2 class="ellipsis">
          <bdi>${name}</bdi>
          ${peer?.bot ? html`<span class="tag">${t("chat.bot")}</span>` : nothing}
          ${notify === "nothing" ? html`<span role="img" aria-label=${t("lists.muted")}>${icon("bell-off", "small")}</span>` : nothing}
        </h2>
        <span class="conversation-status ellipsis">${this.#typing(conversation) ?? this.#status(conversation, presence)}</span>
      </span>
    </a>`;
  }

  /** @param {Conversation} conversation @returns {unknown} null if nobody types */
  #typing({ group }) {
    const who = [...(this.seen.typing?.keys() ?? [])];
    if (who.length === 0) return null;
    const [first = "", second = ""] = who.map((id) => nameOf(app.store.state, id, group?.id));
    const many = group ? t("chat.typing_many", { count: who.length }) : t("lists.typing");
    const text = group && who.length <= 2 ? t(`chat.typing_${who.length}`, { who: first, other: second }) : many;
    return html`<bdi class="typing">${text}</bdi>`;
  }

  /** @param {Conversation} conversation @param {Presence | undefined} presence */
  #status({ group }, presence) {
    if (group) return t("chat.members", { count: group.members });
    if (!presence) return nothing;
    if (presence.status === "offline" && presence.last_seen) return t("chat.last_seen", { ago: formatAgo(presence.last_seen) });
    return t(`status.${presence.status}`);
  }

  updated() {
    const { conversation } = this.seen;
    if (conversation?.peer) app.client?.presence.need([conversation.peer.id]);
  }
}

customElements.define("myim-conversation-head", ConversationHead);
