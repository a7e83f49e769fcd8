/** @import { Presence } from "../types.js" */
/** @import { Api } from "../net/api.js" */
/** @import { Store } from "./store.js" */

/** The API answers for so many at a time. */
const PIECE = 500;

/**
 * Where people are, asked for those that a view shows; events keep it true. The server answers for
 * contacts and for members of common groups.
 */
export class PresenceLoader {
  /** @type {Set<string>} */ #asked = new Set();
  /** @type {Set<string>} */ #next = new Set();

  /** @param {Store} store @param {Api} api */
  constructor(store, api) {
    this.store = store;
    this.api = api;
  }

  /** @param {Iterable<string | undefined>} users */
  need(users) {
    const idle = this.#next.size === 0;
    for (const user of users) {
      if (!user || user === "0" || this.#asked.has(user)) continue;
      this.#asked.add(user);
      this.#next.add(user);
    }
    // Rows that are drawn together ask together.
    if (idle && this.#next.size) queueMicrotask(() => void this.#load());
  }

  /** Asks again for everybody: nothing was heard while there was no connection. */
  reload() {
    this.#next = new Set(this.#asked);
    if (this.#next.size) void this.#load();
  }

  /** Asks again for those that the server said nothing of, because they are contacts now. */
  retry() {
    for (const user of this.#asked) if (!this.store.state.presence.has(user)) this.#next.add(user);
    if (this.#next.size) void this.#load();
  }

  async #load() {
    const users = [...this.#next];
    this.#next.clear();
    for (let at = 0; at < users.length; at += PIECE) {
      const piece = users.slice(at, at + PIECE);
      try {
        const { items } = await this.api.presence(piece);
        const presence = new Map(this.store.state.presence);
        for (const one of /** @type {Presence[]} */ (items)) presence.set(one.user_id, one);
        this.store.set({ presence });
      } catch {
        // The next look asks again.
        for (const user of piece) this.#asked.delete(user);
      }
    }
  }
}
