/** @import { Conversation } from "../types.js" */
/** @import { Api } from "../net/api.js" */
/** @import { Store } from "./store.js" */
import { Problem } from "../net/problem.js";
import { newer } from "./conversations.js";
import { Retry } from "./retry.js";

const SETTLE_MS = 200;
/** So many are asked for one by one; more than that are quicker as a list. */
const FEW = 8;
const GONE = ["no_such_conversation", "not_a_member", "no_such_group"];

/** The list of conversations, and single ones of which something was heard. */
export class ConversationLoader {
  #listSoon = new Retry(SETTLE_MS, () => this.load());
  /** By conversation, the place that is to be known. @type {Map<string, number>} */ #wanted = new Map();
  #wantedSoon = new Retry(SETTLE_MS, () => this.#loadWanted());
  #lists = 0;

  /** @param {Store} store @param {Api} api */
  constructor(store, api) {
    this.store = store;
    this.api = api;
  }

  stop() {
    this.#listSoon.stop();
    this.#wantedSoon.stop();
  }

  /** Loads the whole list. */
  async load() {
    this.#lists += 1;
    try {
      await this.#list();
    } finally {
      this.#lists -= 1;
      if (this.#wanted.size) this.#wantedSoon.soon();
    }
  }

  loadSoon() {
    this.#listSoon.settled();
  }

  /** Loads one; what fails is tried again later. @param {string} id */
  async loadOne(id) {
    await this.#one(id).catch(() => this.#wantedSoon.soon());
  }

  /**
   * Puts an answer of the server in, as far as it is newer than what events told.
   * @param {Conversation} conversation
   */
  take(conversation) {
    const { id } = conversation;
    this.meet([conversation]);
    this.store.put("conversations", id, newer(this.store.state.conversations.get(id), conversation));
  }

  /**
   * Something was heard of a conversation that only the server can tell all of. A device that is new
   * hears of thousands at once: those that the list has up to `seq` are not asked for.
   * @param {string} id
   * @param {number} [seq] what is to be known; left out if it is not in the log
   */
  want(id, seq = Infinity) {
    this.#remember(id, seq);
    this.#wantedSoon.soon();
  }

  /** Conversations come with the profile of the other side. @param {Iterable<Conversation>} conversations */
  meet(conversations) {
    const users = new Map(this.store.state.users);
    for (const { peer } of conversations) if (peer) users.set(peer.id, peer);
    this.store.set({ users });
  }

  async #loadWanted() {
    // A list that is on its way may bring them; its end comes back here.
    if (this.#lists > 0 || !this.store.state.conversationsLoaded) return;
    const { conversations } = this.store.state;
    const missing = [...this.#wanted].filter(([id, seq]) => (conversations.get(id)?.last_seq ?? -1) < seq);
    this.#wanted.clear();
    if (missing.length <= FEW) return void (await Promise.all(missing.map(([id]) => this.#one(id))));
    try {
      await this.load();
    } catch (error) {
      for (const [id, seq] of missing) this.#remember(id, seq);
      throw error;
    }
  }

  /** @param {string} id */
  async #one(id) {
    try {
      this.take(await this.api.conversation(id));
    } catch (error) {
      const problem = Problem.of(error);
      if (GONE.includes(problem.code)) return this.store.put("conversations", id, undefined);
      if (problem.passes) this.#remember(id, Infinity);
      throw problem;
    }
  }

  /** @param {string} id @param {number} seq */
  #remember(id, seq) {
    this.#wanted.set(id, Math.max(seq, this.#wanted.get(id) ?? 0));
  }

  async #list() {
    const before = this.store.state.conversations;
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
    const { conversations: known } = this.store.state;
    // Events may have been quicker than the list. What it does not know of them, it did not count.
    for (const [id, conversation] of found) {
      const now = known.get(id);
      if (!now && before.has(id)) found.delete(id);
      else found.set(id, newer(now, conversation));
      if (now && now.last_seq > conversation.last_seq) this.want(id);
    }
    for (const [id, conversation] of known) {
      if (found.has(id) || conversation === before.get(id)) continue;
      found.set(id, conversation);
      this.want(id);
    }
    this.store.set({ conversations: found, conversationsLoaded: true });
  }
}
