import { Problem } from "./problem.js";

/** Longer than the server's own limit of 30 s, so that its answer is heard. */
const TIMEOUT_MS = 35_000;

/**
 * Requests to the API of the server that this page came from, with the token of one account.
 */
export class Http {
  #end = new AbortController();

  /**
   * @param {() => string | null} token
   * @param {(problem: Problem) => void} onUnauthenticated hears that the token is worth nothing
   * @param {string} [base]
   */
  constructor(token, onUnauthenticated, base = "/api/v1") {
    this.base = base;
    this.token = token;
    this.onUnauthenticated = onUnauthenticated;
  }

  /** Gives up what is on its way, and whatever is asked from now on. */
  stop() {
    this.#end.abort();
  }

  /**
   * @param {string} method
   * @param {string} path begins with a slash, without the API's prefix
   * @param {{body?: unknown, blob?: Blob, query?: Record<string, unknown>, signal?: AbortSignal, timeout?: number, keepalive?: boolean}} [options]
   *   `blob` is sent as it is, `body` as JSON; with `keepalive` it goes on when the page is gone
   * @returns {Promise<any>} the answer's JSON; null if it has none
   */
  async request(method, path, options = {}) {
    const response = await this.fetch(method, path, options);
    if (response.status === 204) return null;
    const text = await response.text().catch((error) => { throw Problem.of(error); });
    if (text === "") return null;
    try {
      return JSON.parse(text);
    } catch {
      throw new Problem("network", "The answer was cut off.", { status: response.status });
    }
  }

  /**
   * The same for answers that are read piece by piece.
   * @param {string} method
   * @param {string} path
   * @param {{body?: unknown, blob?: Blob, query?: Record<string, unknown>, signal?: AbortSignal, timeout?: number, keepalive?: boolean}} [options]
   */
  async fetch(method, path, { body, blob, query, signal, timeout = TIMEOUT_MS, keepalive = false } = {}) {
    /** @type {Record<string, string>} */
    const headers = {};
    const token = this.token();
    if (token) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const ends = [this.#end.signal, AbortSignal.timeout(timeout)];
    /** @type {Response} */
    let response;
    try {
      response = await fetch(this.base + path + search(query), {
        method,
        headers,
        body: body === undefined ? blob : JSON.stringify(body),
        signal: AbortSignal.any(signal ? [signal, ...ends] : ends),
        cache: "no-store",
        keepalive,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Problem("network", "The server does not answer.");
    }
    if (response.ok) return response;
    const problem = await read(response);
    if (problem.status === 401 && problem.code === "unauthenticated" && token) this.onUnauthenticated(problem);
    throw problem;
  }
}

/** @param {Record<string, unknown> | undefined} query what is undefined or null is left out */
function search(query) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) params.set(name, String(value));
  }
  return params.size ? `?${params}` : "";
}

/** @param {Response} response */
async function read(response) {
  const said = await response.json().catch(() => ({}));
  return new Problem(said.code ?? "internal", said.detail ?? response.statusText, {
    status: response.status,
    retryAfter: said.retry_after ?? 0,
  });
}
