/** A note that was not renewed for so long may be of a tab that is gone; it is asked then. */
const LEASE_MS = 6_000;
const RENEW_MS = 2_000;
/** How long the owner of a note may take to answer. */
const ANSWER_MS = 700;

/**
 * @typedef {object} Leadership
 * @property {() => void} lead this tab is the one now
 * @property {() => void} lose another one is
 */

/**
 * Lets one tab of the browser do something for all of them. When it closes, another tab's turn comes.
 * @param {string} name
 * @param {Leadership} leadership
 * @param {AbortSignal} signal gives the place up
 * @returns {() => boolean} whether no other tab took the place of this one
 */
export function whenLeader(name, leadership, signal) {
  if (navigator.locks) {
    const held = () => {
      leadership.lead();
      return new Promise((release) => signal.addEventListener("abort", release));
    };
    navigator.locks.request(name, { signal }, held).catch(() => {});
    return () => true;
  }
  // Pages that did not come over TLS have no locks.
  const lease = new Lease(name, leadership, signal);
  lease.start();
  return () => lease.isOwn;
}

/**
 * The same with a note in the storage that all tabs share, which its owner renews. Browsers let the
 * timers of tabs that nobody looks at run once a minute only; so whoever finds an old note asks first,
 * and its owner hears that at once.
 */
class Lease {
  #own = String(Math.random());
  #leads = false;
  /** @type {number | undefined} */ #timer;

  /** @param {string} name @param {Leadership} leadership @param {AbortSignal} signal */
  constructor(name, leadership, signal) {
    this.name = name;
    this.asked = `${name}.asked`;
    this.leadership = leadership;
    this.signal = signal;
  }

  start() {
    this.#timer = setInterval(() => this.#look(), RENEW_MS);
    addEventListener("storage", this.#hear);
    addEventListener("pagehide", this.#leave);
    this.signal.addEventListener("abort", () => {
      removeEventListener("pagehide", this.#leave);
      this.#leave();
    });
    this.#look();
  }

  get isOwn() {
    return this.#read()?.own === this.#own;
  }

  /** @returns {{own: string, until: number} | null} */
  #read() {
    try {
      return JSON.parse(localStorage.getItem(this.name) ?? "null");
    } catch {
      return null;
    }
  }

  #write() {
    localStorage.setItem(this.name, JSON.stringify({ own: this.#own, until: Date.now() + LEASE_MS }));
  }

  #look() {
    const lease = this.#read();
    if (this.#leads) {
      if (!lease || lease.own === this.#own) return this.#write();
      // This tab stood still for so long that another one took its place.
      this.#leads = false;
      return this.leadership.lose();
    }
    if (!lease) return this.#take();
    if (lease.until > Date.now()) return;
    localStorage.setItem(this.asked, String(Math.random()));
    setTimeout(() => {
      const now = this.#read();
      if (!now || now.until <= Date.now()) this.#take();
    }, ANSWER_MS);
  }

  #take() {
    if (this.signal.aborted || this.#leads) return;
    this.#write();
    // If two tabs wrote at once the later one stays, and both see it a moment later.
    setTimeout(() => {
      if (this.signal.aborted || this.#leads || !this.isOwn) return;
      this.#leads = true;
      this.leadership.lead();
    }, 100);
  }

  /** Storage events come at once, also in tabs that nobody looks at. @param {StorageEvent} event */
  #hear = ({ key }) => {
    if (key === this.asked && this.#leads) this.#look();
    if (key === this.name && !this.#leads && !this.#read()) this.#look();
    if (key === this.name && this.#leads) this.#look();
  };

  #leave = () => {
    if (this.signal.aborted) {
      clearInterval(this.#timer);
      removeEventListener("storage", this.#hear);
    }
    if (this.isOwn) localStorage.removeItem(this.name);
    // A page that comes back from the browser's cache begins like any other.
    if (this.#leads && !this.signal.aborted) this.leadership.lose();
    this.#leads = false;
  };
}
