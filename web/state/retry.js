import { Backoff } from "../net/backoff.js";
import { Problem } from "../net/problem.js";

/** What could not be loaded is asked for again after that, or after longer. */
const AGAIN_MS = 1_000;

/** Does something a moment after it is wanted, and again until that succeeds. */
export class Retry {
  /** @type {number | undefined} */ #timer;
  #failed = false;
  #stopped = false;
  #backoff = new Backoff();

  /**
   * @param {number} momentMs what is wanted in that time is done once
   * @param {() => Promise<unknown>} work
   */
  constructor(momentMs, work) {
    this.momentMs = momentMs;
    this.work = work;
  }

  /** A moment from now, however often it is wanted. */
  soon() {
    if (this.#timer === undefined) this.#after(this.momentMs);
  }

  /** When it was not wanted for a moment. */
  settled() {
    if (!this.#failed) this.#after(this.momentMs);
  }

  now() {
    this.#after(0);
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** @param {number} ms */
  #after(ms) {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), ms);
  }

  async #run() {
    this.#timer = undefined;
    this.#failed = false;
    try {
      await this.work();
      this.#backoff.succeeded();
    } catch (error) {
      const { passes, retryAfter } = Problem.of(error);
      if (!passes) return;
      this.#failed = true;
      this.#after(Math.max(AGAIN_MS, retryAfter * 1_000, this.#backoff.next()));
    }
  }
}
