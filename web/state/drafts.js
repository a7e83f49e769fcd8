/** @import { Draft } from "../types.js" */
/** @import { Database } from "./database.js" */
/** @import { Store } from "./store.js" */

const SAVE_MS = 400;

/** What was typed in each conversation and not sent. */
export class Drafts {
  /** @type {Map<string, number>} */ #timers = new Map();

  /** @param {Store} store @param {Database} database */
  constructor(store, database) {
    this.store = store;
    this.database = database;
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
    const empty = draft.text === "" && draft.reply_to === undefined;
    this.store.put("drafts", conversation, empty ? undefined : draft);
    clearTimeout(this.#timers.get(conversation));
    const save = () =>
      (empty ? this.database.remove("drafts", conversation) : this.database.put("drafts", { conversation, ...draft })).catch(
        // A browser without room loses the draft with the tab, and nothing else.
        () => {},
      );
    this.#timers.set(conversation, setTimeout(save, SAVE_MS));
  }
}
