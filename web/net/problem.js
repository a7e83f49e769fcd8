/** What went wrong with a request, by the `code` of the API or one of our own. */
export class Problem extends Error {
  /**
   * @param {string} code a code of the API, or `network` (nothing came back)
   * @param {string} detail for people, in English
   * @param {{status?: number, retryAfter?: number}} [more] `retryAfter` in seconds
   */
  constructor(code, detail, { status = 0, retryAfter = 0 } = {}) {
    super(detail || code);
    this.name = "Problem";
    this.code = code;
    this.detail = detail;
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later, without anybody doing anything. */
  get passes() {
    return this.code === "network" || this.status === 429 || this.status === 503 || this.status >= 500;
  }

  /** @param {unknown} error */
  static of(error) {
    if (error instanceof Problem) return error;
    return new Problem("network", error instanceof Error ? error.message : String(error));
  }
}
