/** @import { Conversation } from "../types.js" */
/** @import { Api } from "../net/api.js" */
/** @import { Store } from "./store.js" */
import { Problem } from "../net/problem.js";
import { withMessage } from "./conversations.js";

const SETTLE_MS = 200;
/** So many are asked for one by one; more than that are quicker as a list. */
const FEW = 8;
const GONE = ["no_such_conversation", "not_a_member", "no_such_group"];

/** The list of conversations, and single ones of which something was heard. */
export class ConversationLoader {
  /** @type {number | undefined} */ #soon;
  /** By conversation, the place that is to be known. @type {Map<string, number>} */ #wanted = new Map();
  /** @type {number | undefined} */ #wantedSoon;
  #lists = 0;

  /** @param {Store} store @param {Api} api @param {string} me */
  constructor(store, api, me) {
    this.store = store;
    this.api = api;
    this.me = me;
  }

  /** Loads the whole list. */
  async load() {
    this.#lists += 1;
    try {
      await this.#list();
    } finally {
      this.#lists -= 1;
      if (this.#wanted.size) void this.#loadWanted();
    }
  }

  loadSoon() {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => void this.load().catch(() => {}), SETTLE_MS);
  }

  /** @param {string} id */
  async loadOne(id) {
    try {
      const conversation = await this.api.conversation(id);
      this.meet([conversation]);
      this.store.put("conversations", id, conversation);
    } catch (error) {
      if (GONE.includes(Problem.of(error).code)) this.store.put("conversations", id, undefined);
    }
  }

  /**
   * Something was heard of a conversation that only the server can tell all of. A device that is new
   * hears of thousands at once: those that the list has up to `seq` are not asked for.
   * @param {string} id
   * @param {number} [seq] what is to be known; left out if it is not in the log
   */
  want(id, seq = Infinity) {
    this.#wanted.set(id, Math.max(seq, this.#wanted.get(id) ?? 0));
    this.#wantedSoon ??= setTimeout(() => void this.#loadWanted(), SETTLE_MS);
  }

  /** Conversations come with the profile of the other side. @param {Iterable<Conversation>} conversations */
  meet(conversations) {
    const users = new Map(this.store.state.users);
    for (const { peer } of conversations) if (peer) users.set(peer.id, peer);
    this.store.set({ users });
  }

  async #loadWanted() {
    clearTimeout(this.#wantedSoon);
    this.#wantedSoon = undefined;
    // A list that is on its way may bring them; its end comes back here.
    if (this.#lists > 0 || !this.store.state.conversationsLoaded) return;
    const { conversations } = this.store.state;
    const missing = [...this.#wanted].filter(([id, seq]) => (conversations.get(id)?.last_seq ?? -1) < seq);
    this.#wanted.clear();
    if (missing.length > FEW) await this.load().catch(() => {});
    else await Promise.all(missing.map(([id]) => this.loadOne(id)));
  }

  async #list() {
    /** @type {Map<string, Conversation>} */
    const found = new Map();
    /** @type {string | undefined} */
    let cursor;
    do {
      const { items, next } = await this.api.conversations({ cursor, hidden: true });
      for (const conversation of items) found.set(conversation.id, conversation);
      cursor = next ?? undefined;
    } while (cursor);
    this.meet(found.values());
    // An event may have been quicker than the list.
    for (const [id, conversation] of found) {
      const known = this.store.state.conversations.get(id);
      if (known && known.last_seq > conversation.last_seq && known.last_message) {
        found.set(id, withMessage(conversation, known.last_message, this.me));
      }
    }
    this.store.set({ conversations: found, conversationsLoaded: true });
  }
}
