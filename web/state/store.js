/** @import { State } from "../types.js" */

/**
 * Everything that views show. State is never changed in place: whoever changes it puts a new object
 * where the old one was, so that views find out what changed by comparing.
 */
export class Store {
  /** @type {Set<(state: State) => void>} */ #listeners = new Set();
  #told = true;
  #state;
  #soon;

  /**
   * @param {State} state
   * @param {(tell: () => void) => void} [soon] when listeners hear of a change; not before this returns
   */
  constructor(state, soon = queueMicrotask) {
    this.#state = state;
    this.#soon = soon;
  }

  get state() {
    return this.#state;
  }

  /** The same store for somebody whose time ends: what he changes after that changes nothing. @param {AbortSignal} signal */
  until(signal) {
    return new StoreUntil(this, signal);
  }

  /** @param {Partial<State>} change */
  set(change) {
    this.#state = { ...this.#state, ...change };
    if (!this.#told) return;
    this.#told = false;
    // Many changes in a row, as after a reconnect, are drawn once.
    this.#soon(() => {
      this.#told = true;
      for (const listener of this.#listeners) listener(this.state);
    });
  }

  /**
   * Changes one entry of a map; `undefined` takes it out.
   * @template {"conversations"|"windows"|"pending"|"users"|"contacts"|"groups"|"members"|"presence"|"typing"|"drafts"} K
   * @param {K} name
   * @param {string} key
   * @param {State[K] extends Map<string, infer V> ? V | undefined : never} value
   */
  put(name, key, value) {
    const map = new Map(/** @type {Map<string, any>} */ (this.state[name]));
    if (value === undefined) map.delete(key);
    else map.set(key, value);
    this.set(/** @type {Partial<State>} */ ({ [name]: map }));
  }

  /**
   * @param {(state: State) => void} listener
   * @returns {() => void} ends it
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

class StoreUntil extends Store {
  #whole;
  #signal;

  /** @param {Store} whole @param {AbortSignal} signal */
  constructor(whole, signal) {
    super(whole.state);
    this.#whole = whole;
    this.#signal = signal;
  }

  get state() {
    return this.#whole.state;
  }

  /** @param {Partial<State>} change */
  set(change) {
    if (!this.#signal.aborted) this.#whole.set(change);
  }

  /** @param {(state: State) => void} listener */
  subscribe(listener) {
    return this.#whole.subscribe(listener);
  }
}
