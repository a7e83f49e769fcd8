/** Things that one tab of an account works on; another one takes them up when it is gone. */
export class TabClaims {
  /** What is this tab's, or will be. @type {Set<string>} */ #claimed = new Set();
  /** What gives each thing of this tab away. @type {Map<string, () => void>} */ #own = new Map();
  #end = new AbortController();

  /**
   * Works on something once no other tab does, and keeps it until `release`.
   * @param {string} name
   * @param {() => Promise<void>} work
   */
  claim(name, work) {
    if (this.#claimed.has(name)) return;
    this.#claimed.add(name);
    const held = async () => {
      const released = /** @type {Promise<void>} */ (new Promise((release) => this.#own.set(name, release)));
      await work();
      await released;
    };
    // Pages that did not come over TLS have no locks: there two tabs may do the same.
    if (!navigator.locks) void held();
    else navigator.locks.request(`myim.claim.${name}`, { signal: this.#end.signal }, held).catch(() => {});
  }

  /** @param {string} name */
  release(name) {
    this.#own.get(name)?.();
    this.#own.delete(name);
    this.#claimed.delete(name);
  }

  stop() {
    this.#end.abort();
    for (const release of this.#own.values()) release();
  }
}
