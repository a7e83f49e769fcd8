import { Backoff, ofConnections } from "./backoff.js";
import { Problem } from "./problem.js";

/** How long a request may go without an answer. */
const ANSWER_MS = 15_000;
/** A connection on which nothing came for so long is asked whether it still is one. */
const QUIET_MS = 25_000;
/** A server that ends connections sooner than that is not well. */
const HELD_MS = 10_000;
/** The database of the server does not answer: that takes a few seconds at least. */
const STORAGE_UNAVAILABLE = 1013;
const STORAGE_MS = 3_000;
/** Close codes after which connecting again by itself would be wrong (docs/protocol/api.md, 13). */
const FINAL = new Map([
  [4001, "unauthenticated"],
  [4002, "session_revoked"],
  [4009, "replaced"],
]);

/**
 * @typedef {object} SocketHandlers
 * @property {() => Record<string, unknown>} hello the fields of the first request
 * @property {(welcome: Record<string, any>) => void} welcomed
 * @property {(event: import("../types.js").ServerEvent) => void} event
 * @property {(state: import("../types.js").LinkState, retryAt: number) => void} state
 * @property {(code: string) => void} ended no connection will be made any more, and why
 */

/** One WebSocket to the server, made again whenever it breaks, until `stop`. */
export class Socket {
  /** @type {WebSocket | null} */ #socket = null;
  #backoff = new Backoff(ofConnections);
  #welcomedAt = 0;
  #stopped = false;
  #welcome = false;
  #nextId = 1;
  /** @type {Map<number, {resolve: (ok: any) => void, reject: (problem: Problem) => void, timer: number}>} */
  #waiting = new Map();
  #heardAt = 0;
  /** @type {number | undefined} */ #retry;
  /** @type {number | undefined} */ #quiet;
  /** @type {number | undefined} */ #opening;
  /** What a server that is stopping asks us to wait. @type {number | null} */ #drainMs = null;

  /**
   * @param {string} url
   * @param {SocketHandlers} handlers
   */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
  }

  start() {
    addEventListener("online", this.#wake);
    addEventListener("offline", this.#lost);
    document.addEventListener("visibilitychange", this.#look);
    this.#connect();
  }

  stop() {
    this.#stopped = true;
    removeEventListener("online", this.#wake);
    removeEventListener("offline", this.#lost);
    document.removeEventListener("visibilitychange", this.#look);
    clearTimeout(this.#retry);
    this.#drop("The page left.");
  }

  /** Connects at once if it waits for its next attempt. */
  wake() {
    this.#wake();
  }

  /**
   * @param {string} op
   * @param {Record<string, unknown>} [fields]
   * @returns {Promise<any>}
   */
  request(op, fields = {}) {
    if (!this.#welcome) return Promise.reject(new Problem("network", "There is no connection."));
    return this.#ask(op, fields);
  }

  /**
   * For what needs no answer and may be lost.
   * @param {string} op
   * @param {Record<string, unknown>} fields
   */
  tell(op, fields) {
    if (this.#welcome) this.#socket?.send(JSON.stringify({ op, ...fields }));
  }

  #connect() {
    if (this.#stopped || this.#socket) return;
    clearTimeout(this.#retry);
    this.handlers.state("connecting", 0);
    const socket = new WebSocket(this.url, "myim.v1");
    this.#socket = socket;
    // A network that swallows everything would be waited for much longer.
    this.#opening = setTimeout(() => this.#broken(), ANSWER_MS);
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      clearTimeout(this.#opening);
      void this.#greet(socket);
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#hear(String(data));
    };
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#closed(code);
    };
  }

  /** @param {WebSocket} socket */
  async #greet(socket) {
    try {
      const welcome = await this.#ask("hello", this.handlers.hello());
      if (socket !== this.#socket) return;
      this.#welcomedAt = Date.now();
      this.#drainMs = null;
      this.#welcome = true;
      this.#watch();
      this.handlers.state("online", 0);
      this.handlers.welcomed(welcome);
    } catch (error) {
      if (socket !== this.#socket) return;
      const { code } = Problem.of(error);
      if (code === "unauthenticated") this.#end(code);
      else socket.close();
    }
  }

  /** @param {string} text */
  #hear(text) {
    this.#heardAt = Date.now();
    const frame = JSON.parse(text);
    if (frame.event === "server.draining") this.#drainMs = frame.reconnect_after_ms;
    if (frame.event) return this.handlers.event(frame);
    const waiting = this.#waiting.get(frame.id);
    if (!waiting) return;
    this.#waiting.delete(frame.id);
    clearTimeout(waiting.timer);
    if (frame.ok) waiting.resolve(frame.ok);
    else waiting.reject(new Problem(frame.error.code, frame.error.message, { retryAfter: frame.error.retry_after }));
  }

  /**
   * @param {string} op
   * @param {Record<string, unknown>} fields
   * @returns {Promise<any>}
   */
  #ask(op, fields) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const silent = () => {
        this.#waiting.delete(id);
        reject(new Problem("network", "The server does not answer."));
        // Whoever does not answer is gone, whatever the operating system thinks.
        this.#broken();
      };
      this.#waiting.set(id, { resolve, reject, timer: setTimeout(silent, ANSWER_MS) });
      this.#socket?.send(JSON.stringify({ id, op, ...fields }));
    });
  }

  /** Browsers answer the server's pings without telling us, so we ask by ourselves. */
  #watch() {
    clearInterval(this.#quiet);
    this.#quiet = setInterval(() => {
      if (Date.now() - this.#heardAt >= QUIET_MS) this.#ask("ping", {}).catch(() => {});
    }, QUIET_MS);
  }

  #look = () => {
    // A computer that slept may hold a connection that ended meanwhile.
    if (document.visibilityState !== "visible") return;
    if (this.#welcome) this.#ask("ping", {}).catch(() => {});
    else this.#wake();
  };

  #wake = () => {
    if (!this.#socket) this.#connect();
  };

  #lost = () => {
    if (this.#socket) this.#broken();
  };

  #broken() {
    this.#closed(1006);
  }

  /** @param {number} code */
  #closed(code) {
    if (this.#welcome && Date.now() - this.#welcomedAt >= HELD_MS) this.#backoff.succeeded();
    this.#drop("The connection broke.");
    if (this.#stopped) return;
    const final = FINAL.get(code);
    if (final) return this.#end(final);
    const least = code === STORAGE_UNAVAILABLE ? STORAGE_MS : 0;
    const wait = this.#drainMs ?? Math.max(least, this.#backoff.next());
    this.#drainMs = null;
    this.handlers.state("offline", Date.now() + wait);
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  /** @param {string} code */
  #end(code) {
    this.stop();
    this.handlers.state("ended", 0);
    this.handlers.ended(code);
  }

  /** @param {string} why */
  #drop(why) {
    const socket = this.#socket;
    this.#socket = null;
    this.#welcome = false;
    clearInterval(this.#quiet);
    clearTimeout(this.#opening);
    socket?.close();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new Problem("network", why));
    }
    this.#waiting.clear();
  }
}
