const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/**
 * How long to wait before the next attempt, so that the clients of a server that starts again do not
 * all come at once.
 */
export class Backoff {
  /** @param {(failures: number) => number} [wait] milliseconds after so many failures before */
  constructor(wait = ofRequests) {
    this.wait = wait;
    this.failures = 0;
  }

  /** @returns {number} milliseconds */
  next() {
    const wait = this.wait(this.failures);
    this.failures += 1;
    return wait;
  }

  succeeded() {
    this.failures = 0;
  }
}

/** The first attempt is made at once, later ones at any time up to a limit that doubles. @param {number} failures */
function ofRequests(failures) {
  return failures === 0 ? 0 : Math.random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
}

/** A second, two, four, up to a minute, and some chance (docs/protocol/api.md, 8). @param {number} failures */
export function ofConnections(failures) {
  return Math.min(60_000, 1_000 * 2 ** failures) * (1 + Math.random() / 2);
}
