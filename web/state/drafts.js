/** @import { Draft, ServerEvent } from "../types.js" */
/** @import { Database } from "./database.js" */
/** @import { Store } from "./store.js" */

const SAVE_MS = 400;

/** What was typed in each conversation and not sent. */
export class Drafts {
  /** Drafts that are not written down yet: by conversation, what will do it. @type {Map<string, number>} */ #timers = new Map();
  /** Conversations whose draft was typed in this tab. @type {Set<string>} */ #own = new Set();

  /**
   * @param {Store} store
   * @param {Database} database
   * @param {(event: ServerEvent) => void} share tells the other tabs
   */
  constructor(store, database, share) {
    this.store = store;
    this.database = database;
    this.share = share;
    addEventListener("pagehide", this.#saveAll);
  }

  stop() {
    removeEventListener("pagehide", this.#saveAll);
    this.#saveAll();
  }

  async restore() {
    const drafts = new Map(this.store.state.drafts);
    for (const { conversation, ...draft } of await this.database.all("drafts")) {
      if (!drafts.has(conversation)) drafts.set(conversation, draft);
    }
    this.store.set({ drafts });
  }

  /** What is written next answers a message; `undefined` for none. @param {string} conversation @param {number} [seq] */
  reply(conversation, seq) {
    const { text = "", marks } = this.store.state.drafts.get(conversation) ?? {};
    this.keep(conversation, { text, marks, ...(seq === undefined ? {} : { reply_to: seq }) });
  }

  /** @param {string} conversation @param {Draft} draft */
  keep(conversation, draft) {
    clearTimeout(this.#timers.get(conversation));
    if (draft.text === "" && draft.reply_to === undefined) return this.#remove(conversation);
    this.#own.add(conversation);
    this.store.put("drafts", conversation, draft);
    this.#timers.set(conversation, setTimeout(() => this.#save(conversation), SAVE_MS));
  }

  /** Another tab sent the draft, or emptied it. What is written in this tab stays. @param {ServerEvent} event */
  heard({ conversation = "" }) {
    if (this.#own.has(conversation)) this.#save(conversation);
    else this.store.put("drafts", conversation, undefined);
  }

  /** At once: what was sent must not be there again after a reload. @param {string} conversation */
  #remove(conversation) {
    this.#timers.delete(conversation);
    this.#own.delete(conversation);
    this.store.put("drafts", conversation, undefined);
    void this.database.remove("drafts", conversation).catch(() => {});
    this.share({ event: "draft", conversation });
  }

  /** @param {string} conversation */
  #save(conversation) {
    clearTimeout(this.#timers.get(conversation));
    this.#timers.delete(conversation);
    const draft = this.store.state.drafts.get(conversation);
    // A browser without room loses the draft with the tab, and nothing else.
    if (draft) void this.database.put("drafts", { conversation, ...draft }).catch(() => {});
  }

  #saveAll = () => {
    for (const conversation of [...this.#timers.keys()]) this.#save(conversation);
  };
}
