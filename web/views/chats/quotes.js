/** @import { Message } from "../../types.js" */
import { app } from "../../state/app.js";

/** Messages that others answer, also those that stand too far up to be in the window. */
export class Quotes {
  /** @type {Map<number, Message | null | undefined>} */ #known = new Map();

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  /**
   * @param {string} conversation
   * @param {number | undefined} seq
   * @param {Message[]} window in ascending `seq`
   * @returns {Message | null | undefined} null if it cannot be read, undefined as long as it is on its way
   */
  find(conversation, seq, window) {
    if (seq === undefined) return undefined;
    const held = window.find((message) => message.seq === seq);
    if (held) return held;
    if (!this.#known.has(seq)) {
      this.#known.set(seq, undefined);
      void this.#load(conversation, seq);
    }
    return this.#known.get(seq);
  }

  /** @param {string} conversation @param {number} seq */
  async #load(conversation, seq) {
    const message = await app.client?.api.message(conversation, seq).catch(() => null);
    this.#known.set(seq, message ?? null);
    this.changed();
  }
}
