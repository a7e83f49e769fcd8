/** @import { Message, State } from "../../types.js" */
import { currentLanguage, describe, formatDay, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { guard, html, nothing, repeat } from "../../vendor/lit.js";
import { longPressOpensMenu } from "./long_press.js";
import { messageBubble, pendingBubble } from "./message.js";
import { messageAction, messageKey } from "./message_actions.js";
import { rowsOf } from "./message_rows.js";
import { notice } from "./notice.js";
import { Quotes } from "./quotes.js";
import { RowFocus } from "./row_focus.js";
import { ScrollKeeper } from "./scroll_keeper.js";

/** More is loaded when less than so many screens of messages are left. */
const AHEAD_SCREENS = 2;

/**
 * The messages of a conversation. Only a window of the history is held; scrolling moves it.
 * Attribute: `conversationId`. It does not change during its life.
 */
export class MessageList extends Element {
  static properties = {
    conversationId: {},
    expanded: { state: true },
    atEnd: { state: true },
  };

  select = (/** @type {State} */ state) => {
    const conversation = state.conversations.get(this.conversationId);
    const group = conversation?.group?.id ?? "";
    return {
      conversation,
      window: state.windows.get(this.conversationId),
      pending: state.pending.get(this.conversationId),
      users: state.users,
      contacts: state.contacts,
      members: state.members.get(group),
      me: state.me,
      online: state.link === "online",
      known: state.conversationsLoaded,
    };
  };

  /** What the user had read before; null if there was nothing new. @type {number | null} */
  #unreadFrom = null;
  #opened = false;
  /** Whether what one looks at first is loaded. */
  #ready = false;
  /** Whether one was brought there. */
  #placed = false;
  /** @type {ScrollKeeper | null} */ #keeper = null;
  #focus = new RowFocus(this);
  #quotes = new Quotes(() => this.requestUpdate());
  /** @type {number | null} */ #wanted = null;
  /** The newest own message on its way, to see that another one came. */
  #lastPending = "";

  constructor() {
    super();
    this.conversationId = "";
    /** Long messages that are shown whole: the place of each, or its name while it has none. @type {Set<number | string>} */
    this.expanded = new Set();
    this.atEnd = true;
  }

  connectedCallback() {
    super.connectedCallback();
    const { signal } = this.lifetime;
    for (const change of ["focus", "blur"]) addEventListener(change, this.#looked, { signal });
    document.addEventListener("visibilitychange", this.#looked, { signal });
    longPressOpensMenu(this, signal);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    app.client?.history.close(this.conversationId);
  }

  /**
   * Goes to a message, and shows which one it is.
   * @param {number} seq
   * @param {{focus?: boolean}} [options]
   */
  async show(seq, { focus = false } = {}) {
    const { client } = app;
    this.#wanted = seq;
    this.#opened = true;
    const has = () => app.store.state.windows.get(this.conversationId)?.messages.some((one) => one.seq === seq);
    if (!has()) await client?.history.around(this.conversationId, seq);
    if (this.#wanted !== seq || !this.isConnected) return;
    this.#wanted = null;
    this.#ready = true;
    this.#placed = true;
    this.requestUpdate();
    await this.updateComplete;
    const row = this.querySelector(`[data-seq="${seq}"]`);
    if (!row) return;
    this.#focus.mark(/** @type {HTMLElement} */ (row), focus);
    this.#keeper?.show(row, 0.4);
    this.#scrolled();
  }

  /** Goes to the newest message. */
  async toEnd() {
    this.#wanted = null;
    this.#opened = true;
    this.#ready = true;
    this.#placed = true;
    if (!app.store.state.windows.get(this.conversationId)?.atEnd) {
      await app.client?.history.toEnd(this.conversationId);
      this.requestUpdate();
      await this.updateComplete;
    }
    this.#keeper?.toEnd();
    this.#scrolled();
  }

  /** Shows a long message whole. @param {HTMLElement} row */
  expand({ dataset }) {
    const message = dataset.clientId ?? Number(dataset.seq);
    this.expanded = new Set([...this.expanded, message]);
    // One goes on reading where the rest appears.
    this.#still = true;
  }

  willUpdate() {
    const { conversation, known, window } = this.seen;
    if (!this.#opened && (conversation || known)) void this.#open();
    // What comes while nobody looks is new when somebody comes back.
    const away = this.#placed && !document.hasFocus() && window?.atEnd;
    if (away && this.#unreadFrom === null && conversation?.unread > 0) this.#unreadFrom = conversation.read_seq;
  }

  /** Finds out where one begins to read, and loads that. */
  async #open() {
    this.#opened = true;
    const { client, store } = app;
    const id = this.conversationId;
    const conversation = store.state.conversations.get(id);
    if (!client) return;
    if (!conversation) await client.conversations.loadOne(id);
    this.#unreadFrom = conversation && conversation.unread > 0 ? conversation.read_seq : null;
    // Somebody who is sent to a message may come here before all this is loaded.
    const isSent = () => this.#wanted !== null || this.#ready;
    if (isSent()) return;
    await client.history.open(id);
    const window = store.state.windows.get(id);
    const first = window?.messages[0];
    if (this.#unreadFrom !== null && first && first.seq > this.#unreadFrom + 1 && !window?.atStart && !isSent()) {
      await client.history.around(id, this.#unreadFrom + 1);
    }
    if (isSent()) return;
    this.#ready = true;
    this.requestUpdate();
  }

  /** @param {Map<string, unknown>} changed */
  update(changed) {
    if (this.#keeper) {
      const { pending, window } = this.seen;
      const newest = pending?.at(-1)?.client_id ?? "";
      if (newest && newest !== this.#lastPending) this.#unreadFrom = null;
      this.#keeper.hold(this.#drawnToEnd && (window?.atEnd ?? false) && !this.#still);
      this.#still = false;
    }
    super.update(changed);
  }

  /** Whether what is seen stays in place, also at the end. */
  #still = false;
  /** Whether what is drawn goes to the end of the conversation. */
  #drawnToEnd = false;

  render() {
    const { window, conversation } = this.seen;
    if (!conversation && this.seen.known) {
      return html`<div class="empty">${icon("message-circle")}<p>${t("chat.gone")}</p></div>`;
    }
    return html`
      <span class="message-edge-focus" tabindex="-1"></span>
      <div class="message-scroll" @scroll=${this.#scrolled} @scrollend=${this.#read}>
        <div
          class="message-log"
          role="log"
          aria-live="off"
          aria-label=${t("chat.messages")}
          aria-busy=${window?.loading ?? true}
          @click=${this.#act}
          @contextmenu=${this.#act}
          @keydown=${this.#key}
          @focusin=${this.#focus.entered}
        >
          ${this.#rows()}
        </div>
      </div>
      <span class="message-edge-focus" tabindex="-1"></span>
      ${this.atEnd && (window?.atEnd ?? true) ? nothing : this.#jump(conversation?.unread ?? 0)}
    `;
  }

  #rows() {
    const { window, pending, conversation, me, users, contacts, members } = this.seen;
    const loaded = window !== undefined && (window.messages.length > 0 || window.atEnd);
    // What one wrote is shown even where nothing can be loaded.
    const waiting = !loaded || window.atEnd ? (pending ?? []) : [];
    if (!loaded && waiting.length === 0) return html`<div class="message-edge">${this.#edge(null)}</div>`;
    const messages = loaded ? window.messages : [];
    const { state } = app.store;
    const rows = rowsOf(messages, waiting, app.client?.account.user_id ?? "", this.#unreadFrom);
    const language = currentLanguage();
    /** @type {(row: import("./message_rows.js").Row) => unknown} */
    const draw = (row) => {
      switch (row.kind) {
        case "day":
          return html`<div class="day" role="separator" aria-label=${formatDay(row.time)}><span>${formatDay(row.time)}</span></div>`;
        case "unread":
          return html`<div class="unread-mark" role="separator" aria-label=${t("chat.new_messages")}><span>${t("chat.new_messages")}</span></div>`;
        case "notice":
          return notice(row.message, state, conversation?.group?.id);
      }
      const message = row.kind === "message" ? row.message : row.pending;
      const expanded = this.expanded.has("seq" in message ? message.seq : message.client_id);
      const quoted = this.#quotes.find(this.conversationId, message.reply_to, messages);
      const last = row.kind === "pending" || row.last;
      const context = { state, conversation, first: row.first, last, expanded, quoted };
      const progress = row.kind === "message" && row.message.sender === me?.id ? this.#progress(row.message) : 0;
      return guard([message, row.first, last, expanded, quoted, progress, users, contacts, members, me, language], () =>
        row.kind === "message" ? messageBubble(row.message, context) : pendingBubble(row.pending, context),
      );
    };
    return html`
      <div class="message-edge">${this.#edge(window?.atStart ? t("chat.begin") : null)}</div>
      ${repeat(rows, (row) => row.key, draw)}
      ${!loaded || window.atEnd ? nothing : html`<div class="message-edge">${this.#edge(null)}</div>`}
    `;
  }

  /** What changes how an own message's progress is drawn. @param {Message} message */
  #progress({ seq }) {
    const { peer_read_seq = 0, peer_delivered_seq = 0 } = this.seen.conversation ?? {};
    return seq <= peer_read_seq ? 2 : seq <= peer_delivered_seq ? 1 : 0;
  }

  /** @param {string | null} text what stands where there is nothing more to load */
  #edge(text) {
    const { window } = this.seen;
    if (text !== null) return html`<p class="muted">${text}</p>`;
    return window?.error ? this.#failure(window.error) : icon("loader-circle", "spin");
  }

  /** @param {import("../../net/problem.js").Problem} error */
  #failure(error) {
    return html`<p class="note error" role="alert">
      ${icon("circle-alert")}<span>${describe(error)}</span>
      <button class="link-button" @click=${() => this.#load(true)}>${t("action.retry")}</button>
    </p>`;
  }

  /** @param {number} unread */
  #jump(unread) {
    const label = unread > 0 ? t("chat.jump_new", { count: unread }) : t("chat.jump_end");
    return html`<button class="to-end" @click=${this.#leave} aria-label=${label}>
      ${unread > 0 ? html`<span>${label}</span>` : nothing}${icon("arrow-down")}
    </button>`;
  }

  #leave = () => {
    this.dispatchEvent(new CustomEvent("to-end", { bubbles: true }));
    void this.toEnd();
  };

  updated() {
    const scroller = /** @type {HTMLElement | null} */ (this.querySelector(".message-scroll"));
    if (!scroller) return;
    const log = /** @type {HTMLElement} */ (scroller.firstElementChild);
    if (this.#keeper?.scroller !== scroller) this.#keeper = new ScrollKeeper(scroller, log);
    const { window, pending } = this.seen;
    this.#drawnToEnd = window?.atEnd ?? false;
    if (this.#ready && !this.#placed && window) this.#place();
    else this.#keeper.restore();
    const newest = pending?.at(-1)?.client_id ?? "";
    const wrote = newest !== "" && newest !== this.#lastPending;
    this.#lastPending = newest;
    if (wrote && this.#placed) void this.toEnd();
    this.#focus.keep();
    for (const { sender } of window?.messages ?? []) app.client?.people.need(sender);
    const group = this.seen.conversation?.group?.id;
    if (group) app.client?.groups.need(group);
    this.#scrolled();
  }

  /** The first look: at what is new, or at the end. */
  #place() {
    this.#placed = true;
    const mark = this.querySelector(".unread-mark");
    if (mark) this.#keeper?.show(mark, 0.2);
    else this.#keeper?.toEnd();
  }

  #scrolled = () => {
    const keeper = this.#keeper;
    if (!keeper || !this.#placed) return;
    this.atEnd = keeper.isAtEnd;
    this.#load(false);
    if (this.atEnd) this.#read();
  };

  /** Loads what is beyond the edges, before one gets there. @param {boolean} again after a failure */
  #load(again) {
    const { window } = this.seen;
    const { client } = app;
    const keeper = this.#keeper;
    if (!window || !client || !keeper || window.loading || (window.error && !again)) return;
    if (window.messages.length === 0) return void (again && client.history.open(this.conversationId));
    const ahead = keeper.scroller.clientHeight * AHEAD_SCREENS;
    if (keeper.above < ahead && !window.atStart) void client.history.older(this.conversationId);
    else if (keeper.below < ahead && !window.atEnd) void client.history.newer(this.conversationId);
  }

  #looked = () => {
    if (!document.hasFocus() && this.atEnd) this.#unreadFrom = null;
    this.#read();
    this.requestUpdate();
  };

  /** Tells what was read: what is on the screen while somebody looks at it. */
  #read = () => {
    const { conversation, window } = this.seen;
    if (!conversation || !window || !this.#placed || !document.hasFocus()) return;
    const last = window.messages.at(-1);
    if (!last) return;
    if (this.atEnd && window.atEnd) {
      // Places behind the last message are edits and reactions.
      const whole = conversation.last_message?.seq === last.seq;
      app.client?.markRead(this.conversationId, whole ? conversation.last_seq : last.seq);
    } else if (conversation.unread > 0) {
      const seen = /** @type {HTMLElement | undefined} */ (this.#keeper?.lastSeen());
      if (seen?.dataset.seq) app.client?.markRead(this.conversationId, Number(seen.dataset.seq));
    }
  };

  /** @param {Event} event */
  #act = (event) => messageAction(this, event);

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    if (!this.#focus.key(event)) messageKey(this, event);
  };
}

customElements.define("myim-message-list", MessageList);
