/** @import { Message, PendingMessage } from "../types.js" */
/** @import { Api } from "../net/api.js" */
/** @import { Database } from "./database.js" */
/** @import { Store } from "./store.js" */
import { Backoff } from "../net/backoff.js";
import { Problem } from "../net/problem.js";

/** At a message at which the server itself breaks, it does so every time: others do not wait for it for ever. */
const BROKEN_MAX = 5;
/** How long a browser may take to write a message down before it is sent all the same. */
const KEEP_MS = 2_000;

/**
 * Messages on their way to the server. Each is written down before it is sent, and sent under its
 * `client_id` until the server answers: so it is there once, also after a reload, a cut or a crash.
 * Those of one conversation go one after the other, whatever tab they were typed in.
 */
export class Outbox {
  /** Conversations that are being worked on. @type {Set<string>} */ #running = new Set();
  /** Those that wait for their next attempt: what ends the wait. @type {Set<() => void>} */ #waits = new Set();
  #stopped = false;
  /**
   * What sends the files of messages that have some.
   * @type {Record<"restored" | "retry" | "discarded", (message: PendingMessage) => void> | null}
   */
  uploads = null;

  /**
   * @param {Store} store
   * @param {Api} api
   * @param {Database} database
   * @param {(message: Omit<Message, "sender">, forwarded: boolean) => void} sent
   */
  constructor(store, api, database, sent) {
    this.store = store;
    this.api = api;
    this.database = database;
    this.sent = sent;
  }

  /**
   * Takes up what was left when a page was closed, unless it is here already.
   * @param {boolean} [begins] whether this page begins with it
   */
  async restore(begins = true) {
    /** @type {PendingMessage[]} */
    const left = await this.database.all("outbox");
    left.sort((a, b) => a.created - b.created);
    const pending = new Map(this.store.state.pending);
    for (const message of left) {
      if (message.uploads) {
        // Pages without locks cannot see that another tab works on it.
        if (begins || navigator.locks) this.uploads?.restored(message);
        continue;
      }
      const list = pending.get(message.conversation) ?? [];
      if (list.some((one) => one.client_id === message.client_id)) continue;
      pending.set(message.conversation, [...list, message]);
    }
    this.store.set({ pending });
    for (const conversation of pending.keys()) void this.#run(conversation);
  }

  stop() {
    this.#stopped = true;
    this.wake();
  }

  /** Tries at once what waits. */
  wake() {
    for (const end of this.#waits) end();
  }

  /** @param {PendingMessage} message */
  async add(message) {
    this.#show(message);
    await this.keep(message);
    if (message.uploads) return;
    void this.#run(message.conversation);
  }

  /** How many messages are not on the server yet, of all tabs of this browser. */
  async waiting() {
    const kept = (await patiently(this.database.all("outbox"))) ?? [];
    const here = [...this.store.state.pending.values()].flat();
    return new Set([...kept, ...here].map(({ client_id }) => client_id)).size;
  }

  /** Changes what is shown of a message whose files go up. @param {PendingMessage} message */
  update(message) {
    this.#show(message);
  }

  /** Everything of the message is on the server now, but the message. @param {PendingMessage} message */
  async uploaded(message) {
    await this.add({ ...message, state: "queued", uploads: undefined });
  }

  /** Writes down what changed of a message. @param {PendingMessage} message */
  async keep(message) {
    await patiently(this.database.put("outbox", message));
  }

  /** @param {string} conversation @param {string} clientId */
  async retry(conversation, clientId) {
    const message = this.#find(conversation, clientId);
    if (!message) return;
    if (message.uploads) this.uploads?.retry(message);
    else await this.add({ ...message, state: "queued", error: undefined });
  }

  /** Gives a message up that was not sent. @param {string} conversation @param {string} clientId */
  async discard(conversation, clientId) {
    const message = this.#find(conversation, clientId);
    this.#hide(conversation, clientId);
    if (message?.uploads) this.uploads?.discarded(message);
    await patiently(this.database.remove("outbox", clientId));
  }

  /** Another tab got it to the server. @param {Message} message */
  sentElsewhere(message) {
    this.#hide(message.conversation, message.client_id);
  }

  /** @param {string} conversation */
  async #run(conversation) {
    if (this.#running.has(conversation)) return;
    this.#running.add(conversation);
    try {
      const work = () => this.#drain(conversation);
      const name = `myim.outbox.${this.database.name}.${conversation}`;
      if (navigator.locks) await navigator.locks.request(name, work);
      else await work();
    } finally {
      this.#running.delete(conversation);
    }
    // What was added after the last look, and before this was over.
    if (!this.#stopped && this.#list(conversation).some(({ state }) => state === "queued")) void this.#run(conversation);
  }

  /** @param {string} conversation */
  async #drain(conversation) {
    const backoff = new Backoff();
    let broken = 0;
    while (!this.#stopped) {
      const message = this.#next(conversation);
      if (!message) return;
      this.#show({ ...message, state: "sending" });
      try {
        const { segments, client_id, reply_to, forward } = message;
        const body = forward ? { client_id, forward } : { client_id, segments, reply_to };
        const { seq, time } = await this.api.send(conversation, body);
        this.sent({ conversation, seq, time, client_id, segments, reply_to }, forward !== undefined);
        await this.discard(conversation, client_id);
        backoff.succeeded();
        broken = 0;
      } catch (error) {
        const problem = Problem.of(error);
        broken = problem.status === 500 ? broken + 1 : 0;
        // It may have been given up meanwhile, or another tab may have got it to the server.
        if (this.#stopped) return;
        if (!this.#find(conversation, message.client_id)) {
          broken = 0;
          continue;
        }
        if (problem.code === "unauthenticated") {
          // It stays for the next sign-in.
          this.#show({ ...message, state: "queued" });
          return this.stop();
        }
        if (problem.passes && broken < BROKEN_MAX) {
          this.#show({ ...message, state: "queued" });
          await this.#wait(Math.max(backoff.next(), problem.retryAfter * 1000));
        } else {
          await this.#fail(message, problem);
          broken = 0;
        }
      }
    }
  }

  /** @param {PendingMessage} message @param {Problem} problem */
  async #fail(message, { code, detail }) {
    /** @type {PendingMessage} */
    const failed = { ...message, state: "failed", error: { code, detail } };
    this.#show(failed);
    await this.keep(failed);
  }

  /** @param {number} ms */
  #wait(ms) {
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer);
          this.#waits.delete(end);
          resolve();
        };
        const timer = setTimeout(end, ms);
        this.#waits.add(end);
      })
    );
  }

  /** @param {string} conversation */
  #list(conversation) {
    return this.store.state.pending.get(conversation) ?? [];
  }

  /** The one to send now. @param {string} conversation */
  #next(conversation) {
    return this.#list(conversation).find(({ state }) => state === "queued" || state === "sending");
  }

  /** @param {string} conversation @param {string} clientId */
  #find(conversation, clientId) {
    return this.#list(conversation).find((one) => one.client_id === clientId);
  }

  /** @param {PendingMessage} message */
  #show(message) {
    const list = this.#list(message.conversation);
    const at = list.findIndex((one) => one.client_id === message.client_id);
    this.store.put("pending", message.conversation, at < 0 ? [...list, message] : list.with(at, message));
  }

  /** @param {string} conversation @param {string} clientId */
  #hide(conversation, clientId) {
    const left = this.#list(conversation).filter((one) => one.client_id !== clientId);
    this.store.put("pending", conversation, left.length ? left : undefined);
  }
}

/**
 * What the browser's database answers. One without room, or one that hangs, must not keep a message
 * from being sent.
 * @template T
 * @param {Promise<T>} work
 * @returns {Promise<T | undefined>}
 */
async function patiently(work) {
  /** @type {number | undefined} */
  let timer;
  const late = /** @type {Promise<undefined>} */ (new Promise((resolve) => { timer = setTimeout(resolve, KEEP_MS); }));
  const done = await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
  return done;
}
