/** @import { ContactRequest, Conversation, Message, ServerEvent, State } from "../types.js" */
/** @import { Client } from "./client.js" */
import { mentions, unreadTotal } from "./conversations.js";

/**
 * When a page begins, the server tells what was written while nobody was here. The lists show that;
 * nobody wants a hundred notifications of it.
 */
const BEGINNING_MS = 3_000;
/** Messages that come in a row sound once. */
const SOUND_EVERY_MS = 1_500;

/**
 * What a notification is made of. Making it is the browser's and the language's business.
 * @typedef {object} Surface
 * @property {(notification: {tag: string, address: string, message?: Message, request?: ContactRequest, conversation?: Conversation}) => void} show
 * @property {(tag: string) => void} close
 * @property {() => void} sound
 * @property {(unread: number) => void} badge
 */

/**
 * Tells people of what was written to them where they do not look: a notification, and a sound. Of
 * all tabs of an account only the one that holds the connection does.
 */
export class Notifications {
  /** What was told of each conversation, because delivery may repeat. @type {Map<string, number>} */ #told = new Map();
  /** Notifications that may be on the screen, by conversation. @type {Set<string>} */ #shown = new Set();
  #onlineAt = 0;
  #soundAt = 0;
  #unread = -1;
  /** As they were when one looked last. @type {State["conversations"]} */ #before;
  /** @type {(() => void)[]} */ #ends;

  /**
   * @param {Client} client
   * @param {Surface} surface
   */
  constructor(client, surface) {
    this.client = client;
    this.surface = surface;
    this.#before = client.store.state.conversations;
    this.#ends = [
      client.onEvent((event, leads) => {
        if (leads) this.#hear(event);
      }),
      client.store.subscribe((state) => this.#look(state)),
    ];
  }

  stop() {
    for (const end of this.#ends) end();
    this.surface.badge(0);
  }

  /** @param {State} state */
  #look(state) {
    if (state.link === "online") this.#onlineAt ||= Date.now();
    const unread = unreadTotal(state);
    if (unread !== this.#unread) this.surface.badge((this.#unread = unread));
    for (const id of this.#shown) {
      if ((state.conversations.get(id)?.unread ?? 0) > 0 && !this.client.link.isWatched(id)) continue;
      this.#shown.delete(id);
      this.surface.close(id);
    }
    // Another history has places of its own.
    if (!state.conversationsLoaded) this.#told.clear();
    if (state.conversations === this.#before) return;
    const before = this.#before;
    this.#before = state.conversations;
    if (!this.client.link.leads || this.#isBeginning) return;
    for (const [id, conversation] of state.conversations) {
      const known = before.get(id);
      if (known && known !== conversation) this.#counted(known, conversation);
    }
  }

  get #isBeginning() {
    return !this.#onlineAt || Date.now() - this.#onlineAt < BEGINNING_MS;
  }

  /**
   * Large groups tell that they moved, and not every message: what is new is found by its count.
   * @param {Conversation} before @param {Conversation} now
   */
  #counted(before, now) {
    const { id, notify, last_message } = now;
    const rises = notify === "mentions" ? now.mentions > before.mentions : now.unread > before.unread;
    const seq = last_message?.seq ?? 0;
    if (!rises || notify === "nothing" || seq <= (this.#told.get(id) ?? 0)) return;
    this.#told.set(id, seq);
    const isNews = last_message && !last_message.notice && !last_message.recalled_at;
    this.#show(id, now, isNews ? last_message : undefined);
  }

  /** @param {string} id @param {Conversation | undefined} conversation @param {Message} [message] */
  #show(id, conversation, message) {
    if (this.client.link.isWatched(id)) return;
    if (this.#tell({ tag: id, address: `#/chats/${id}`, message, conversation })) this.#shown.add(id);
  }

  /** @param {ServerEvent} event */
  #hear(event) {
    if (this.#isBeginning) return;
    if (event.event === "message") this.#message(event.message);
    else if (event.event === "contact.requested") this.#request(event);
  }

  /** @param {Message} message */
  #message(message) {
    const { state } = this.client.store;
    const { conversation: id, seq } = message;
    if (message.sender === this.client.account.user_id || message.notice || message.recalled_at) return;
    if (seq <= (this.#told.get(id) ?? 0)) return;
    this.#told.set(id, seq);
    const conversation = state.conversations.get(id);
    if (conversation && (seq <= conversation.read_seq || !wanted(conversation, message, this.client.account.user_id))) return;
    this.#show(id, conversation, message);
  }

  /** @param {ServerEvent} event */
  #request({ request_id, user_id, username, note, seq = 0 }) {
    if (seq <= (this.#told.get("inbox") ?? 0)) return;
    this.#told.set("inbox", seq);
    const user = /** @type {any} */ ({ id: user_id, username, nickname: "" });
    const request = { id: request_id, direction: /** @type {const} */ ("incoming"), from: user_id, to: "", user, note, time: "" };
    this.#tell({ tag: `request-${user_id}`, address: "#/people/requests", request });
  }

  /** @param {Parameters<Surface["show"]>[0]} notification @returns {boolean} whether it is shown */
  #tell(notification) {
    const { preferences } = this.client.store.state;
    if (preferences.quietUntil > Date.now()) return false;
    if (preferences.sound && Date.now() - this.#soundAt > SOUND_EVERY_MS) {
      this.#soundAt = Date.now();
      this.surface.sound();
    }
    if (preferences.notifications) this.surface.show(notification);
    return preferences.notifications;
  }
}

/**
 * Whether somebody wants to hear of a message.
 * @param {Conversation} conversation @param {Message} message @param {string} me
 */
export function wanted({ notify }, message, me) {
  if (notify === "nothing") return false;
  return notify === "all" || mentions(message, me);
}
