/** @import { Message } from "../types.js" */
/** @import { Api } from "../net/api.js" */
/** @import { Store } from "./store.js" */
import { Problem } from "../net/problem.js";
import { EMPTY, merge, replace } from "./history.js";

const PAGE = 60;
/** Beyond this many pages, what was missed is not filled in but begun anew at the end. */
const CATCH_UP_PAGES = 4;

/** Loads the history of conversations, a piece at a time, as it is looked at. */
export class HistoryLoader {
  /** @type {Map<string, Promise<void>>} */ #running = new Map();

  /** @param {Store} store @param {Api} api */
  constructor(store, api) {
    this.store = store;
    this.api = api;
  }

  /** The newest messages, if nothing is loaded yet. @param {string} id */
  async open(id) {
    if (!this.store.state.windows.has(id)) await this.toEnd(id);
  }

  /** @param {string} id */
  toEnd(id) {
    return this.#once(id, async () => {
      const { items, next } = await this.api.messages(id, { limit: PAGE });
      // What came meanwhile as an event is in no window, so nothing is lost by beginning anew.
      this.store.put("windows", id, { ...EMPTY, messages: items, atStart: next === null, atEnd: true });
    });
  }

  /** @param {string} id */
  older(id) {
    return this.#once(id, async () => {
      const window = this.store.state.windows.get(id);
      const first = window?.messages[0];
      if (!window || !first || window.atStart) return;
      const { items, next } = await this.api.messages(id, { before: first.seq, limit: PAGE });
      const now = this.store.state.windows.get(id) ?? window;
      const merged = merge({ ...now, atStart: next === null }, items, "older");
      this.store.put("windows", id, merged);
    });
  }

  /** @param {string} id */
  newer(id) {
    return this.#once(id, async () => {
      const window = this.store.state.windows.get(id);
      const last = window?.messages.at(-1);
      if (!window || !last || window.atEnd) return;
      await this.#after(id, last.seq);
    });
  }

  /** The messages around a place, to jump to it. @param {string} id @param {number} seq */
  around(id, seq) {
    return this.#once(id, async () => {
      const half = PAGE / 2;
      const [before, after] = await Promise.all([
        this.api.messages(id, { before: seq, limit: half }),
        this.api.messages(id, { after: seq - 1, limit: half }),
      ]);
      const messages = [...before.items, ...after.items];
      const window = { ...EMPTY, messages, atStart: before.next === null, atEnd: after.next === null };
      this.store.put("windows", id, window);
    });
  }

  /**
   * Fills in what was written and changed while there was no connection.
   * @param {string} id
   */
  catchUp(id) {
    return this.#once(id, async () => {
      const window = this.store.state.windows.get(id);
      const first = window?.messages[0];
      if (!window || !first) return this.#begin(id);
      let after = first.seq - 1;
      for (let page = 0; page < CATCH_UP_PAGES; page += 1) {
        const { items, next } = await this.api.messages(id, { after, limit: 200 });
        const now = this.store.state.windows.get(id) ?? window;
        const atEnd = next === null;
        this.store.put("windows", id, merge({ ...now, atEnd: atEnd || now.atEnd }, items, "newer"));
        if (atEnd || (!window.atEnd && items.at(-1)?.seq >= (window.messages.at(-1)?.seq ?? 0))) return;
        after = items.at(-1)?.seq ?? after;
      }
      await this.#begin(id);
    });
  }

  /** @param {Message} message */
  replace(message) {
    const window = this.store.state.windows.get(message.conversation);
    if (window) this.store.put("windows", message.conversation, replace(window, message));
  }

  /** @param {string} id */
  async #begin(id) {
    const { items, next } = await this.api.messages(id, { limit: PAGE });
    this.store.put("windows", id, { ...EMPTY, messages: items, atStart: next === null, atEnd: true });
  }

  /** @param {string} id @param {number} seq */
  async #after(id, seq) {
    const { items, next } = await this.api.messages(id, { after: seq, limit: PAGE });
    const now = this.store.state.windows.get(id) ?? EMPTY;
    this.store.put("windows", id, merge({ ...now, atEnd: next === null }, items, "newer"));
  }

  /**
   * One piece of a conversation is loaded at a time.
   * @param {string} id @param {() => Promise<void>} load
   */
  async #once(id, load) {
    const before = this.#running.get(id) ?? Promise.resolve();
    const work = before.then(async () => {
      this.#mark(id, true, null);
      try {
        await load();
        this.#mark(id, false, null);
      } catch (error) {
        this.#mark(id, false, Problem.of(error));
      }
    });
    this.#running.set(id, work);
    await work;
    if (this.#running.get(id) === work) this.#running.delete(id);
  }

  /** @param {string} id @param {boolean} loading @param {Problem | null} error */
  #mark(id, loading, error) {
    const window = this.store.state.windows.get(id) ?? EMPTY;
    this.store.put("windows", id, { ...window, loading, error });
  }
}
