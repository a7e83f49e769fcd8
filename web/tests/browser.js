// What modules find in a browser, for tests that run without one.

const window = new EventTarget();
const page = new EventTarget();

/** @param {string} name @param {object} [more] what the event has besides its name */
export function say(name, more = {}) {
  window.dispatchEvent(Object.assign(new Event(name), more));
}

/** Whether the page may be left without asking. */
export function leaves() {
  return window.dispatchEvent(new Event("beforeunload", { cancelable: true }));
}

/** Shows or hides the page. @param {"visible" | "hidden"} state */
export function show(state) {
  page.visibilityState = state;
  page.dispatchEvent(new Event("visibilitychange"));
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(turns = 30) {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Locks as `navigator.locks` has them: exclusive or shared, in the order in which they were asked for. */
export class Locks {
  #queues = new Map();

  request(name, options, work) {
    if (typeof options === "function") [options, work] = [{}, options];
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    return new Promise((resolve, reject) => {
      const entry = { shared: options.mode === "shared", held: false };
      entry.begin = async () => {
        entry.held = true;
        try {
          const result = await work();
          // A browser tells another process first.
          await new Promise((told) => setImmediate(told));
          resolve(result);
        } catch (error) {
          reject(error);
        } finally {
          queue.splice(queue.indexOf(entry), 1);
          this.#next(queue);
        }
      };
      options.signal?.addEventListener("abort", () => {
        if (entry.held) return;
        queue.splice(queue.indexOf(entry), 1);
        reject(new DOMException("aborted", "AbortError"));
      });
      queue.push(entry);
      queueMicrotask(() => this.#next(queue));
    });
  }

  #next(queue) {
    for (const entry of queue) {
      const free = queue.every((other) => !other.held || (other.shared && entry.shared));
      if (!entry.held && free) void entry.begin();
      if (!entry.shared) break;
    }
  }
}

class Storage {
  #items = new Map();
  getItem(key) {
    return this.#items.get(key) ?? null;
  }
  setItem(key, value) {
    this.#items.set(key, String(value));
  }
  removeItem(key) {
    this.#items.delete(key);
  }
}

/** Channels that tell at once, in the same process. */
class Channel {
  static all = new Set();
  onmessage = null;
  constructor(name) {
    this.name = name;
    Channel.all.add(this);
  }
  postMessage(data) {
    for (const other of Channel.all) {
      if (other === this || other.name !== this.name) continue;
      const copy = structuredClone(data);
      queueMicrotask(() => Channel.all.has(other) && other.onmessage?.({ data: copy }));
    }
  }
  close() {
    Channel.all.delete(this);
  }
}

/** A WebSocket whose server the test is. */
export class FakeWebSocket {
  static made = [];
  sent = [];
  isClosed = false;
  constructor(url, protocol) {
    Object.assign(this, { url, protocol });
    FakeWebSocket.made.push(this);
  }
  static get last() {
    return FakeWebSocket.made.at(-1);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.isClosed = true;
  }
  /** The server takes the connection and answers `hello`. */
  async welcome() {
    this.onopen();
    await settle();
    this.answer("hello", { epoch: "1" });
    await settle();
  }
  /** @param {string} op @param {object} ok */
  answer(op, ok) {
    const { id } = this.sent.findLast((request) => request.op === op);
    this.tell({ id, ok });
  }
  tell(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
  /** The connection ends. @param {number} code */
  end(code) {
    this.onclose({ code });
  }
}

/** Makes a browser of this process. @param {{locks?: boolean}} [options] pages without TLS have no locks */
export function browser({ locks = true } = {}) {
  FakeWebSocket.made = [];
  page.visibilityState = "visible";
  const all = {
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
    document: page,
    navigator: { locks: locks ? new Locks() : undefined },
    localStorage: new Storage(),
    sessionStorage: new Storage(),
    location: new URL("http://localhost/"),
    WebSocket: FakeWebSocket,
    BroadcastChannel: Channel,
  };
  for (const [name, value] of Object.entries(all)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
