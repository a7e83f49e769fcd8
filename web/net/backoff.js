const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/**
 * How long to wait before the next attempt: any time up to a limit that doubles, so that the clients
 * of a server that starts again do not all come at once.
 */
export class Backoff {
  constructor() {
    this.failures = 0;
  }

  /** @returns {number} milliseconds; the first attempt after a success is made at once */
  next() {
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures);
    this.failures += 1;
    return this.failures === 1 ? 0 : Math.random() * longest;
  }

  succeeded() {
    this.failures = 0;
  }
}
