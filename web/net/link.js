import { freshId } from "./ids.js";
import { whenLeader } from "./leader.js";
import { Problem } from "./problem.js";
import { Socket } from "./socket.js";
import { Tabs } from "./tabs.js";

/** How long another tab may take to pass a request on. */
const RELAY_MS = 20_000;
/** Acknowledgments are collected for so long. */
const ACK_MS = 300;

/**
 * @typedef {object} LinkHandlers
 * @property {() => Record<string, unknown>} hello the fields of the first request
 * @property {(welcome: Record<string, any>) => void} welcomed a connection was made: what passed
 *   since the last one has to be loaded
 * @property {(event: import("../types.js").ServerEvent, leads: boolean) => void} event
 * @property {(state: import("../types.js").LinkState, retryAt: number) => void} state
 * @property {(code: string) => void} ended
 */

/**
 * The connection of a sign-in, which all its tabs share: one of them holds the WebSocket and tells
 * the others what it hears. One device may have only one.
 */
export class Link {
  #tab = freshId();
  #channel;
  /** @type {Socket | null} */ #socket = null;
  #end = new AbortController();
  /** @type {{state: import("../types.js").LinkState, retryAt: number}} */
  #state = { state: "connecting", retryAt: 0 };
  #nextId = 1;
  /** @type {Map<number, {resolve: (ok: any) => void, reject: (problem: Problem) => void}>} */
  #asked = new Map();
  /** @type {Tabs} */ #tabs;
  /** @type {() => boolean} */ #isLeader;
  /** What the server was told to be on a screen. @type {Set<string>} */ #opened = new Set();
  /** @type {Map<string, number>} */ #acks = new Map();
  /** @type {number | undefined} */ #ackTimer;

  /**
   * @param {string} name of the sign-in: tabs with an older one of the same account are strangers
   * @param {string} url
   * @param {LinkHandlers} handlers
   */
  constructor(name, url, handlers) {
    this.url = url;
    this.handlers = handlers;
    this.#channel = new BroadcastChannel(`myim.link.${name}`);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#tabs = new Tabs(this.#tab, () => this.#open(), this.#end.signal);
    const leadership = { lead: () => this.#lead(), lose: () => this.#lose() };
    this.#isLeader = whenLeader(`myim.link.${name}`, leadership, this.#end.signal);
    this.#say({ kind: "who" });
  }

  /** Whether this tab holds the connection, and so does what is done once for all tabs. */
  get leads() {
    return this.#socket !== null;
  }

  stop() {
    this.#say({ kind: "tab", tab: this.#tab, view: null });
    this.#end.abort();
    clearTimeout(this.#ackTimer);
    this.#socket?.stop();
    this.#channel.close();
  }

  /** Tries at once to connect. */
  wake() {
    if (this.#socket) this.#socket.wake();
    else this.#say({ kind: "wake" });
  }

  /**
   * @param {string} op
   * @param {Record<string, unknown>} [fields]
   * @returns {Promise<any>}
   */
  request(op, fields = {}) {
    if (this.#socket) return this.#socket.request(op, fields);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#say({ kind: "ask", tab: this.#tab, id, op, fields });
      setTimeout(() => {
        if (this.#asked.delete(id)) reject(new Problem("network", "No tab answers."));
      }, RELAY_MS);
    });
  }

  /** @param {string} conversation @param {number} seq */
  ack(conversation, seq) {
    if (!this.#socket) return;
    this.#acks.set(conversation, Math.max(seq, this.#acks.get(conversation) ?? 0));
    this.#ackTimer ??= setTimeout(() => {
      this.#ackTimer = undefined;
      for (const [conversation, seq] of this.#acks) this.#socket?.tell("ack", { conversation, seq });
      this.#acks.clear();
    }, ACK_MS);
  }

  /**
   * Passes something on to the other tabs, as if the server had told them.
   * @param {import("../types.js").ServerEvent} event
   */
  share(event) {
    this.#say({ kind: "event", event });
  }

  /** Ends the sign-in in the other tabs too. @param {string} code why */
  endOthers(code) {
    this.#say({ kind: "ended", code });
  }

  /** What this tab shows now. @param {import("./tabs.js").TabView} view */
  shows(view) {
    this.#tabs.set(this.#tab, view);
    this.#say({ kind: "tab", tab: this.#tab, view });
  }

  /** Whether somebody looks at a conversation in any tab. @param {string} conversation */
  isWatched(conversation) {
    return this.#tabs.watch(conversation);
  }

  #lead() {
    /** @type {import("./socket.js").SocketHandlers} */
    const handlers = {
      hello: this.handlers.hello,
      welcomed: (welcome) => {
        this.#opened.clear();
        this.#say({ kind: "welcome", welcome });
        this.handlers.welcomed(welcome);
        this.#open();
      },
      event: (event) => {
        this.#say({ kind: "event", event });
        this.handlers.event(event, true);
      },
      state: (state, retryAt) => {
        if (state !== "ended") this.#tell(state, retryAt);
      },
      ended: (code) => this.#ended(code),
    };
    this.#socket = new Socket(this.url, handlers);
    this.#socket.start();
  }

  /** Another tab leads: what it hears comes from there from now on. */
  #lose() {
    this.#socket?.stop();
    this.#socket = null;
    this.#opened.clear();
    this.#say({ kind: "who" });
  }

  /** @param {import("../types.js").LinkState} state @param {number} retryAt */
  #tell(state, retryAt) {
    this.#state = { state, retryAt };
    this.#say({ kind: "state", state, retryAt });
    this.handlers.state(state, retryAt);
  }

  /** @param {string} code */
  #ended(code) {
    // A tab that stood still may find that another one of this browser took its place.
    if (code === "replaced" && !this.#isLeader()) return this.#lose();
    this.#tell("ended", 0);
    this.#say({ kind: "ended", code });
    this.handlers.ended(code);
  }

  /** Tells the server which conversations are on a screen of any tab. */
  #open() {
    if (!this.#socket) return;
    const wanted = this.#tabs.open;
    for (const conversation of this.#opened) {
      if (!wanted.has(conversation)) this.#socket.tell("conversation.close", { conversation });
    }
    for (const conversation of wanted) {
      if (!this.#opened.has(conversation)) this.#socket.tell("conversation.open", { conversation });
    }
    this.#opened = wanted;
  }

  /** @param {Record<string, any>} message */
  #say(message) {
    if (!this.#end.signal.aborted) this.#channel.postMessage(message);
  }

  /** @param {Record<string, any>} message */
  #hear(message) {
    switch (message.kind) {
      case "who":
        if (this.#socket) this.#say({ kind: "state", ...this.#state });
        this.#say({ kind: "tab", tab: this.#tab, view: this.#tabs.view });
        break;
      case "tab":
        this.#tabs.set(message.tab, message.view);
        break;
      case "state":
        this.#state = { state: message.state, retryAt: message.retryAt };
        this.handlers.state(message.state, message.retryAt);
        break;
      case "welcome":
        this.handlers.welcomed(message.welcome);
        break;
      case "event":
        this.handlers.event(message.event, this.leads);
        break;
      case "ended":
        this.handlers.ended(message.code);
        break;
      case "wake":
        this.#socket?.wake();
        break;
      case "ask":
        if (this.#socket) void this.#relay(message);
        break;
      case "answer":
        if (message.tab === this.#tab) this.#answered(message);
        break;
    }
  }

  /** @param {Record<string, any>} ask */
  async #relay({ tab, id, op, fields }) {
    try {
      const ok = await this.#socket?.request(op, fields);
      this.#say({ kind: "answer", tab, id, ok });
    } catch (error) {
      const { code, detail } = Problem.of(error);
      this.#say({ kind: "answer", tab, id, error: { code, detail } });
    }
  }

  /** @param {Record<string, any>} answer */
  #answered({ id, ok, error }) {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (error) asked?.reject(new Problem(error.code, error.detail));
    else asked?.resolve(ok);
  }
}
