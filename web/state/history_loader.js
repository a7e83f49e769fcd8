/** @import { Message } from "../types.js" */
/** @import { Api } from "../net/api.js" */
/** @import { Store } from "./store.js" */
import { Problem } from "../net/problem.js";
import { EMPTY, merge, replace } from "./history.js";

const PAGE = 60;
/** Beyond this many pages, what was missed is not filled in but begun anew at the end. */
const CATCH_UP_PAGES = 4;

/**
 * @typedef {object} Piece
 * @property {Message[]} items
 * @property {number | null} next
 */

/** Loads the history of conversations, a piece at a time, as it is looked at. */
export class HistoryLoader {
  /** @type {Map<string, Promise<void>>} */ #running = new Map();
  /** What events told of a conversation while a piece of it was on its way. @type {Map<string, Message[]>} */
  #heard = new Map();

  /** @param {Store} store @param {Api} api */
  constructor(store, api) {
    this.store = store;
    this.api = api;
  }

  /** The newest messages, if nothing is loaded yet. @param {string} id */
  async open(id) {
    const window = this.store.state.windows.get(id);
    if (!window || (window.error && window.messages.length === 0)) await this.toEnd(id);
  }

  /**
   * Nobody looks at a conversation any more: what is kept of it is its end.
   * @param {string} id
   */
  close(id) {
    const window = this.store.state.windows.get(id);
    if (!window || this.#running.has(id)) return;
    if (!window.atEnd) this.store.put("windows", id, undefined);
    else if (window.messages.length > PAGE) {
      this.store.put("windows", id, { ...window, messages: window.messages.slice(-PAGE), atStart: false });
    }
  }

  /** @param {string} id */
  toEnd(id) {
    return this.#once(id, () => this.#begin(id));
  }

  /** @param {string} id */
  older(id) {
    return this.#once(id, async () => {
      const window = this.store.state.windows.get(id);
      const first = window?.messages[0];
      if (!window || !first || window.atStart) return;
      const { items, next } = await this.#piece(id, { before: first.seq, limit: PAGE });
      const now = this.store.state.windows.get(id) ?? window;
      this.store.put("windows", id, merge({ ...now, atStart: next === null }, items, "older"));
    });
  }

  /** @param {string} id */
  newer(id) {
    return this.#once(id, async () => {
      const window = this.store.state.windows.get(id);
      const last = window?.messages.at(-1);
      if (!window || !last || window.atEnd) return;
      const { items, next } = await this.#piece(id, { after: last.seq, limit: PAGE });
      const now = this.store.state.windows.get(id) ?? window;
      this.store.put("windows", id, merge({ ...now, atEnd: next === null }, items, "newer"));
    });
  }

  /** What was written behind a window that was at the end, by this device itself. @param {string} id */
  newest(id) {
    return this.#once(id, async () => {
      const last = this.store.state.windows.get(id)?.messages.at(-1);
      const { items } = await this.#piece(id, last ? { after: last.seq, limit: PAGE } : { limit: PAGE });
      const window = this.store.state.windows.get(id);
      if (window?.atEnd) this.store.put("windows", id, merge(window, items, "newer"));
    });
  }

  /** The messages around a place, to jump to it. @param {string} id @param {number} seq */
  around(id, seq) {
    return this.#once(id, async () => {
      const half = PAGE / 2;
      const [before, after] = await Promise.all([
        this.#piece(id, { before: seq, limit: half }),
        this.#piece(id, { after: seq - 1, limit: half }),
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
        const { items, next } = await this.#piece(id, { after, limit: 200 });
        const now = this.store.state.windows.get(id) ?? window;
        const atEnd = next === null;
        this.store.put("windows", id, merge({ ...now, atEnd: atEnd || now.atEnd }, items, "newer"));
        if (atEnd || (!window.atEnd && next >= (window.messages.at(-1)?.seq ?? 0))) return;
        after = next;
      }
      await this.#begin(id);
    });
  }

  /** An event told a message, or how one is now. @param {Message} message @param {boolean} isNew */
  heard(message, isNew) {
    const { conversation: id } = message;
    // A piece that is on its way may be older than this.
    this.#heard.get(id)?.push(message);
    const window = this.store.state.windows.get(id);
    if (!window) return;
    // It could not be loaded, perhaps because nobody had written there yet.
    if (window.error && window.messages.length === 0) return void this.toEnd(id);
    if (!isNew) this.store.put("windows", id, replace(window, message));
    else if (window.atEnd) this.store.put("windows", id, merge(window, [message], "newer"));
  }

  /** @param {string} id */
  async #begin(id) {
    const { items, next } = await this.#piece(id, { limit: PAGE });
    this.store.put("windows", id, { ...EMPTY, messages: items, atStart: next === null, atEnd: true });
  }

  /**
   * A piece that has messages, if there are any: places of edits and reactions are none.
   * @param {string} id
   * @param {{before?: number, after?: number, limit: number}} place
   * @returns {Promise<Piece>}
   */
  async #piece(id, place) {
    const forward = place.after !== undefined;
    let from = place;
    for (;;) {
      /** @type {Piece} */
      const piece = await this.api.messages(id, from);
      if (piece.items.length > 0 || piece.next === null) return piece;
      from = { limit: place.limit, [forward ? "after" : "before"]: piece.next };
    }
  }

  /**
   * One piece of a conversation is loaded at a time.
   * @param {string} id @param {() => Promise<void>} load
   */
  async #once(id, load) {
    const before = this.#running.get(id) ?? Promise.resolve();
    const work = before.then(async () => {
      this.#mark(id, true, null);
      this.#heard.set(id, []);
      try {
        await load();
        this.#addHeard(id);
        this.#mark(id, false, null);
      } catch (error) {
        this.#mark(id, false, Problem.of(error));
      }
      this.#heard.delete(id);
    });
    this.#running.set(id, work);
    await work;
    if (this.#running.get(id) === work) this.#running.delete(id);
  }

  /** What events told meanwhile is newer than what was loaded. @param {string} id */
  #addHeard(id) {
    const heard = this.#heard.get(id) ?? [];
    let window = this.store.state.windows.get(id);
    if (!window || heard.length === 0) return;
    const last = window.messages.at(-1)?.seq ?? 0;
    for (const message of heard) window = replace(window, message);
    const added = heard.filter(({ seq }) => seq > last);
    if (window.atEnd) window = merge(window, added, "newer");
    this.store.put("windows", id, window);
  }

  /** @param {string} id @param {boolean} loading @param {Problem | null} error */
  #mark(id, loading, error) {
    const window = this.store.state.windows.get(id) ?? EMPTY;
    this.store.put("windows", id, { ...window, loading, error });
  }
}
