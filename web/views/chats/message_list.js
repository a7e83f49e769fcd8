/** @import { State } from "../../types.js" */
import { describe, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { EMPTY } from "../../state/history.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { onAsked } from "../../ui/long_press.js";
import { html, nothing, repeat } from "../../vendor/lit.js";
import { rowDrawer } from "./list_row.js";
import { messageAction, messageAsked, messageKey } from "./message_actions.js";
import { rowsOf } from "./message_rows.js";
import { Quotes } from "./quotes.js";
import { RowFocus } from "./row_focus.js";
import { ScrollKeeper } from "./scroll_keeper.js";

/** More is loaded when less than so many screens of messages are left. */
const AHEAD_SCREENS = 2;
/** Where one is brought to when it is no message. */
const END = Infinity;

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
    const window = state.windows.get(this.conversationId);
    return {
      conversation,
      // That something is being loaded is no reason to draw hundreds of messages.
      messages: window?.messages,
      atStart: window?.atStart,
      windowAtEnd: window?.atEnd,
      error: window?.error,
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
  /** Where one is being brought to, until one is there. @type {number | null} */ #wanted = null;
  /** The newest own message on its way, to see that another one came. */
  #lastPending = "";

  constructor() {
    super();
    this.conversationId = "";
    /** Long messages that are shown whole: the place of each, or its name while it has none. @type {Set<number | string>} */
    this.expanded = new Set();
    this.atEnd = true;
  }

  get #window() {
    return app.store.state.windows.get(this.conversationId);
  }

  connectedCallback() {
    super.connectedCallback();
    const { signal } = this.lifetime;
    for (const change of ["focus", "blur"]) addEventListener(change, this.#looked, { signal });
    document.addEventListener("visibilitychange", this.#looked, { signal });
    onAsked(this, signal, (target, at, touch) => messageAsked(this, target, at, touch));
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
    const has = () => this.#window?.messages.some((one) => one.seq === seq);
    if (!has()) await client?.history.around(this.conversationId, seq);
    if (this.#wanted !== seq || !this.isConnected) return;
    this.requestUpdate();
    await this.updateComplete;
    this.#wanted = null;
    this.#ready = true;
    this.#placed = true;
    const row = this.querySelector(`[data-seq="${seq}"]`);
    if (!row) return;
    this.#focus.mark(/** @type {HTMLElement} */ (row), focus);
    this.#keeper?.show(row, 0.4);
    this.#scrolled();
  }

  /** Goes to the newest message. */
  async toEnd() {
    this.#wanted = END;
    this.#opened = true;
    if (!this.#window?.atEnd) {
      await app.client?.history.toEnd(this.conversationId);
      if (this.#wanted !== END) return;
      this.requestUpdate();
      await this.updateComplete;
    }
    this.#wanted = null;
    this.#ready = true;
    this.#placed = true;
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
    const { conversation, known } = this.seen;
    const window = this.#window;
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
    if (!client) return;
    if (!store.state.conversations.has(id)) await client.conversations.loadOne(id);
    const conversation = store.state.conversations.get(id);
    this.#unreadFrom = conversation && conversation.unread > 0 ? conversation.read_seq : null;
    // Somebody who is sent to a message may come here before all this is loaded.
    const isSent = () => this.#wanted !== null || this.#ready;
    if (isSent()) return;
    await client.history.open(id);
    const window = store.state.windows.get(id);
    const first = window?.messages[0];
    if (this.#unreadFrom !== null && first && first.seq > this.#unreadFrom && !window?.atStart && !isSent()) {
      await client.history.around(id, this.#unreadFrom + 1);
    }
    if (isSent()) return;
    this.#ready = true;
    this.requestUpdate();
  }

  /** @param {Map<string, unknown>} changed */
  update(changed) {
    if (this.#keeper) {
      const { pending } = this.seen;
      const newest = pending?.at(-1)?.client_id ?? "";
      if (newest && newest !== this.#lastPending) this.#unreadFrom = null;
      this.#keeper.hold(this.#drawnToEnd && (this.#window?.atEnd ?? false) && !this.#still);
      this.#still = false;
    }
    super.update(changed);
  }

  /** Whether what is seen stays in place, also at the end. */
  #still = false;
  /** Whether what is drawn goes to the end of the conversation. */
  #drawnToEnd = false;

  render() {
    const { conversation } = this.seen;
    const window = this.#window;
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
          aria-busy=${!window?.messages.length && !window?.atEnd}
          @click=${this.#act}
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
    const { pending, conversation } = this.seen;
    const window = this.#window;
    const loaded = window !== undefined && (window.messages.length > 0 || window.atEnd);
    // What one wrote is shown even where nothing can be loaded.
    const waiting = !loaded || window.atEnd ? (pending ?? []) : [];
    if (!loaded && waiting.length === 0) return html`<div class="message-edge">${this.#edge(null)}</div>`;
    const held = loaded ? window : EMPTY;
    const rows = rowsOf(held, waiting, app.client?.account.user_id ?? "", this.#unreadFrom);
    const draw = rowDrawer({
      state: app.store.state,
      conversation,
      messages: held.messages,
      quotes: this.#quotes,
      expanded: this.expanded,
    });
    return html`
      <div class="message-edge">${this.#edge(window?.atStart ? t("chat.begin") : null)}</div>
      ${repeat(rows, (row) => row.key, draw)}
      ${!loaded || window.atEnd ? nothing : html`<div class="message-edge">${this.#edge(null)}</div>`}
    `;
  }

  /** @param {string | null} text what stands where there is nothing more to load */
  #edge(text) {
    const window = this.#window;
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
    const { pending } = this.seen;
    const window = this.#window;
    this.#drawnToEnd = window?.atEnd ?? false;
    if (this.#ready && !this.#placed && window) this.#place();
    else if (this.#wanted === null) this.#keeper.restore();
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
    if (!keeper || !this.#placed || this.#wanted !== null) return;
    this.atEnd = keeper.isAtEnd;
    this.#load(false);
    if (this.atEnd) this.#read();
  };

  /** Loads what is beyond the edges, before one gets there. @param {boolean} again after a failure */
  #load(again) {
    const window = this.#window;
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
    const { conversation } = this.seen;
    const window = this.#window;
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
