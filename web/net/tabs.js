/**
 * @typedef {object} TabView
 * @property {string | null} open the conversation that a tab shows
 * @property {boolean} focused somebody looks at it
 */

/**
 * What the tabs of an account show. A tab that is gone shows nothing, also if it could not say so: each
 * holds a lock of its own for its whole life, and the others wait for that.
 */
export class Tabs {
  /** @type {Map<string, TabView>} */ #views = new Map();

  /**
   * @param {string} own
   * @param {() => void} changed
   * @param {AbortSignal} signal
   */
  constructor(own, changed, signal) {
    this.own = own;
    this.changed = changed;
    this.signal = signal;
    this.#views.set(own, { open: null, focused: false });
    const held = () => new Promise((release) => signal.addEventListener("abort", release));
    navigator.locks?.request(lockOf(own), { signal }, held).catch(() => {});
  }

  /** What this tab shows. */
  get view() {
    return /** @type {TabView} */ (this.#views.get(this.own));
  }

  /** @param {string} tab @param {TabView | null} view null: it is gone */
  set(tab, view) {
    const known = this.#views.has(tab);
    if (view) this.#views.set(tab, view);
    else this.#views.delete(tab);
    if (view && !known) this.#await(tab);
    this.changed();
  }

  /** Conversations that are on a screen. @returns {Set<string>} */
  get open() {
    const open = new Set();
    for (const view of this.#views.values()) if (view.open) open.add(view.open);
    return open;
  }

  /** Whether somebody looks at a conversation. @param {string} conversation */
  watch(conversation) {
    return [...this.#views.values()].some((view) => view.focused && view.open === conversation);
  }

  /** @param {string} tab */
  #await(tab) {
    navigator.locks
      ?.request(lockOf(tab), { signal: this.signal, mode: "shared" }, () => this.set(tab, null))
      .catch(() => {});
  }
}

/** @param {string} tab */
function lockOf(tab) {
  return `myim.tab.${tab}`;
}
