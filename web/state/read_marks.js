/** @import { Api } from "../net/api.js" */
import { Problem } from "../net/problem.js";
import { Retry } from "./retry.js";

/** Reading is told at most so often. */
const READ_MS = 400;

/** Tells the server how far the user has read. What it was not told waits, also when the page closes. */
export class ReadMarks {
  /** By conversation, how far is to be told. @type {Map<string, number>} */ #waiting = new Map();
  /** What is on its way. @type {Map<string, number>} */ #sent = new Map();
  #soon = new Retry(READ_MS, () => this.#tell());

  /**
   * @param {Api} api
   * @param {(conversation: string, seq: number) => void} told the server knows it
   */
  constructor(api, told) {
    this.api = api;
    this.told = told;
    addEventListener("pagehide", this.#leave);
  }

  /** @param {string} conversation @param {number} seq */
  mark(conversation, seq) {
    this.#waiting.set(conversation, Math.max(seq, this.#waiting.get(conversation) ?? 0));
    this.#soon.soon();
  }

  /** Tells at once what waits, as when there is a connection again. */
  wake() {
    if (this.#waiting.size) this.#soon.now();
  }

  /** Places of a history that ended mean nothing. */
  forget() {
    this.#waiting.clear();
  }

  stop() {
    removeEventListener("pagehide", this.#leave);
    this.#soon.stop();
  }

  async #tell() {
    const marks = [...this.#waiting].filter(([id, seq]) => this.#sent.get(id) !== seq);
    const done = await Promise.allSettled(marks.map(([id, seq]) => this.#one(id, seq)));
    for (const one of done) if (one.status === "rejected") throw one.reason;
  }

  /** @param {string} id @param {number} seq */
  async #one(id, seq) {
    this.#sent.set(id, seq);
    try {
      await this.api.read(id, seq);
    } catch (error) {
      // What is refused would be refused again.
      if (Problem.of(error).passes) throw error;
    } finally {
      if (this.#sent.get(id) === seq) this.#sent.delete(id);
    }
    if (this.#waiting.get(id) === seq) this.#waiting.delete(id);
    this.told(id, seq);
  }

  #leave = () => {
    for (const [id, seq] of this.#waiting) void this.api.read(id, seq, { keepalive: true }).catch(() => {});
  };
}
