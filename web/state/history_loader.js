/** @import { Message } from "../types.js" */
/** @import { Api } from "../net/api.js" */
/** @import { Store } from "./store.js" */
import { Problem } from "../net/problem.js";
import { shownId } from "./conversations.js";
import { EMPTY, merge, replace } from "./history.js";
import { Retry } from "./retry.js";

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
  /** @type {Map<string, Promise<Problem | null>>} */ #running = new Map();
  /** What events told of a conversation while a piece of it was on its way. @type {Map<string, Message[]>} */
  #heard = new Map();
  /** Up to where nothing is missing, while what was missed is not filled in yet. @type {Map<string, number>} */
  #whole = new Map();
  /** What waits for its turn to be filled in. @type {Map<string, Promise<void>>} */ #queued = new Map();
  /** The conversation on the screen that moved without telling messages. */
  #moved = "";
  #movedSoon = new Retry(0, () => this.#follow());

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
  async older(id) {
    // Whoever scrolls asks many times.
    if (this.#running.has(id)) return;
    await this.#once(id, async () => {
      const window = this.store.state.windows.get(id);
      const first = window?.messages[0];
      if (!window || !first || window.atStart) return;
      const { items, next } = await this.#piece(id, { before: first.seq, limit: PAGE });
      const now = this.store.state.windows.get(id);
      if (now) this.store.put("windows", id, merge({ ...now, atStart: next === null }, items, "older"));
    });
  }

  /** @param {string} id */
  async newer(id) {
    if (this.#running.has(id)) return;
    await this.#once(id, async () => {
      const window = this.store.state.windows.get(id);
      const last = window?.messages.at(-1);
      if (!window || !last || window.atEnd) return;
      const { items, next } = await this.#piece(id, { after: last.seq, limit: PAGE });
      const now = this.store.state.windows.get(id);
      if (now) this.store.put("windows", id, merge({ ...now, atEnd: next === null }, items, "newer"));
    });
  }

  /** What was written behind a window that was at the end, by this device itself. @param {string} id */
  newest(id) {
    return this.#once(id, async () => {
      const last = this.store.state.windows.get(id)?.messages.at(-1);
      const { items, next } = await this.#piece(id, last ? { after: last.seq, limit: PAGE } : { limit: PAGE });
      const window = this.store.state.windows.get(id);
      const atEnd = !last || next === null;
      if (window?.atEnd) this.store.put("windows", id, merge({ ...window, atEnd }, items, "newer"));
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
      this.#whole.delete(id);
      this.store.put("windows", id, window);
    });
  }

  /** Something may be missing behind what is loaded, until it is filled in. @param {Iterable<string>} [ids] */
  missed(ids = this.store.state.windows.keys()) {
    for (const id of ids) {
      const window = this.store.state.windows.get(id);
      if (window?.atEnd && !this.#whole.has(id)) this.#whole.set(id, window.messages.at(-1)?.seq ?? 0);
    }
  }

  /** Whether something is missing among what is shown. @param {string} id */
  isBroken(id) {
    return this.#whole.has(id);
  }

  /**
   * Fills in what was written and changed while nothing was heard of it. Who asks while that waits
   * for its turn gets the same.
   * @param {string} id
   * @throws {Problem} if trying again helps
   */
  catchUp(id) {
    const queued = this.#queued.get(id);
    if (queued) return queued;
    this.missed([id]);
    const work = this.#once(id, () => {
      this.#queued.delete(id);
      return this.#fill(id);
    }).then((problem) => {
      if (problem) this.#cut(id);
      if (problem?.passes) throw problem;
    });
    this.#queued.set(id, work);
    return work;
  }

  /**
   * There is more in a conversation now, of which no event tells.
   * @param {string} id
   */
  moved(id) {
    const window = this.store.state.windows.get(id);
    // Who does not look at it loads it anew when he does.
    if (id !== shownId(this.store.state)) return window && this.store.put("windows", id, undefined);
    if (!window?.atEnd && !window?.error) return;
    this.#moved = id;
    this.#movedSoon.soon();
  }

  async #follow() {
    if (this.#moved === shownId(this.store.state)) await this.catchUp(this.#moved);
  }

  /** Nothing that was loaded counts any more. What is on the screen is loaded anew by `catchUp`. */
  forget() {
    this.#whole.clear();
    const shown = shownId(this.store.state);
    const isKept = shown !== undefined && this.store.state.windows.has(shown);
    this.store.set({ windows: new Map(isKept ? [[shown, EMPTY]] : []) });
  }

  stop() {
    this.#movedSoon.stop();
  }

  /** @param {string} id */
  async #fill(id) {
    const window = this.store.state.windows.get(id);
    const first = window?.messages[0];
    if (!window || !first || this.#whole.get(id) === 0) return this.#begin(id);
    let after = first.seq - 1;
    for (let page = 0; page < CATCH_UP_PAGES; page += 1) {
      const { items, next } = await this.#piece(id, { after, limit: 200 });
      const now = this.store.state.windows.get(id);
      if (!now) return;
      const atEnd = next === null;
      this.store.put("windows", id, merge({ ...now, atEnd: atEnd || now.atEnd }, items, "newer"));
      if (atEnd || (!window.atEnd && next >= (window.messages.at(-1)?.seq ?? 0))) return void this.#whole.delete(id);
      after = next;
      const whole = this.#whole.get(id);
      if (whole !== undefined) this.#whole.set(id, Math.max(whole, after));
    }
    await this.#begin(id);
  }

  /** What could not be filled in is the window's end: it goes on from there. @param {string} id */
  #cut(id) {
    const window = this.store.state.windows.get(id);
    const whole = this.#whole.get(id);
    this.#whole.delete(id);
    if (!window || whole === undefined) return;
    const messages = window.messages.filter(({ seq }) => seq <= whole);
    this.store.put("windows", id, { ...window, messages, atEnd: false });
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
    this.#whole.delete(id);
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
   * @returns {Promise<Problem | null>} why it failed
   */
  async #once(id, load) {
    const before = this.#running.get(id) ?? Promise.resolve(null);
    /** @type {Promise<Problem | null>} */
    const work = before.then(async () => {
      this.#mark(id, true, null);
      this.#heard.set(id, []);
      /** @type {Problem | null} */
      let problem = null;
      try {
        await load();
        this.#addHeard(id);
      } catch (error) {
        problem = Problem.of(error);
      }
      this.#heard.delete(id);
      if (this.#running.get(id) === work) this.#running.delete(id);
      // Nobody may want it any more.
      if (this.store.state.windows.has(id)) this.#mark(id, false, problem);
      return problem;
    });
    this.#running.set(id, work);
    return work;
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
