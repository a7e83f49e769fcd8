import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { Problem } from "../net/problem.js";
import { Outbox } from "../state/outbox.js";
import { Store } from "../state/store.js";
import { browser, settle } from "./browser.js";

/** What IndexedDB holds, shared by the tabs of an account. */
class Kept {
  name = "myim-7";
  rows = new Map();
  async all() {
    return [...this.rows.values()];
  }
  async put(_, value) {
    this.rows.set(value.client_id, structuredClone(value));
  }
  async remove(_, key) {
    this.rows.delete(key);
  }
}

/** A server that knows a message by its `client_id`. */
class Server {
  saved = [];
  asked = [];
  /** What becomes of the next sends: a problem, or `lost` for an answer that does not arrive. */
  fate = [];
  /** Ends the answers that wait. */
  held = null;

  send = async (conversation, message) => {
    this.asked.push(message.client_id);
    if (this.held) await new Promise((go) => this.held.push(go));
    const fate = this.fate.shift();
    if (fate instanceof Problem) throw fate;
    let place = this.saved.find(({ client_id }) => client_id === message.client_id);
    if (!place) this.saved.push((place = { ...message, conversation, seq: this.saved.length + 1, time: "now" }));
    if (fate === "lost") throw new Problem("network", "cut");
    return { seq: place.seq, time: place.time };
  };
}

let server;
let kept;

function tab() {
  const store = new Store({ pending: new Map() });
  const sent = [];
  const outbox = new Outbox(store, { send: server.send }, kept, (message) => sent.push(message));
  const states = (conversation = "1") => (store.state.pending.get(conversation) ?? []).map(({ client_id, state }) => `${client_id} ${state}`);
  return { store, outbox, sent, states };
}

let created = 0;
const message = (client_id, more = {}) => ({
  client_id,
  conversation: "1",
  segments: [{ type: "text", text: client_id }],
  created: (created += 1),
  state: "queued",
  ...more,
});

beforeEach(() => {
  browser();
  mock.timers.reset();
  server = new Server();
  kept = new Kept();
});

test("messages of a conversation arrive in the order in which they were written", async () => {
  const { outbox, sent, states } = tab();
  for (const id of ["a", "b", "c"]) await outbox.add(message(id));
  await settle();
  assert.deepEqual(server.saved.map(({ client_id }) => client_id), ["a", "b", "c"]);
  assert.deepEqual(sent.map(({ seq }) => seq), [1, 2, 3]);
  assert.deepEqual(states(), []);
  assert.equal(kept.rows.size, 0);
});

test("a message is written down before it is sent", async () => {
  const { outbox } = tab();
  server.held = [];
  await outbox.add(message("a"));
  await settle();
  assert.deepEqual([...kept.rows.keys()], ["a"]);
  assert.equal(server.saved.length, 0);
});

test("without a network it waits, and is sent once when that is back", async () => {
  const { outbox, states } = tab();
  mock.timers.enable({ apis: ["setTimeout"] });
  server.fate = [new Problem("network", ""), new Problem("network", ""), "lost"];
  await outbox.add(message("a"));
  await outbox.add(message("b"));
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await settle();
    outbox.wake();
  }
  await settle();
  assert.deepEqual(server.asked, ["a", "a", "a", "a", "b"]);
  assert.deepEqual(server.saved.map(({ client_id }) => client_id), ["a", "b"]);
  assert.deepEqual(states(), []);
});

test("a server that is busy says how long to wait", async () => {
  const { outbox, states } = tab();
  mock.timers.enable({ apis: ["setTimeout"] });
  server.fate = [new Problem("rate_limited", "", { status: 429, retryAfter: 7 })];
  await outbox.add(message("a"));
  await settle();
  mock.timers.tick(6999);
  await settle();
  assert.equal(server.asked.length, 1);
  assert.deepEqual(states(), ["a queued"]);
  mock.timers.tick(1);
  await settle();
  assert.equal(server.saved.length, 1);
});

test("what the server refuses holds nothing up, and can be tried again or given up", async () => {
  const { outbox, states } = tab();
  server.fate = [new Problem("muted", "no", { status: 403 })];
  await outbox.add(message("a"));
  await outbox.add(message("b"));
  await settle();
  assert.deepEqual(server.saved.map(({ client_id }) => client_id), ["b"]);
  assert.deepEqual(states(), ["a failed"]);
  assert.equal(kept.rows.get("a").state, "failed");
  await outbox.retry("1", "a");
  await settle();
  assert.deepEqual(server.saved.map(({ client_id }) => client_id), ["b", "a"]);
  assert.deepEqual(states(), []);
});

test("what was given up while it was sent does not come back when that fails", async () => {
  const { outbox, states } = tab();
  server.held = [];
  server.fate = [new Problem("network", "")];
  await outbox.add(message("a"));
  await settle();
  await outbox.discard("1", "a");
  server.held.forEach((go) => go());
  server.held = null;
  await settle();
  assert.deepEqual(states(), []);
  assert.equal(kept.rows.size, 0);
  assert.equal(server.asked.length, 1);
});

test("after the sign-in ended a message waits for the next one", async () => {
  const { outbox, states } = tab();
  server.fate = [new Problem("unauthenticated", "", { status: 401 })];
  await outbox.add(message("a"));
  await settle();
  assert.deepEqual(states(), ["a queued"]);
  assert.equal(kept.rows.get("a").state, "queued");
  const next = tab();
  await next.outbox.restore();
  await settle();
  assert.equal(server.saved.length, 1);
});

test("what a crash left is sent after the start, in order", async () => {
  for (const one of [message("a"), message("b"), message("c", { state: "failed" })]) await kept.put("outbox", one);
  const { outbox, states } = tab();
  await outbox.restore();
  await settle();
  assert.deepEqual(server.saved.map(({ client_id }) => client_id), ["a", "b"]);
  assert.deepEqual(states(), ["c failed"]);
});

test("two tabs that both have a message send it one after the other, and the server keeps it once", async () => {
  const one = tab();
  server.held = [];
  await one.outbox.add(message("a"));
  await settle();
  const two = tab();
  await two.outbox.restore();
  await settle();
  assert.deepEqual(server.asked, ["a"]);
  server.held.forEach((go) => go());
  server.held = null;
  await settle();
  assert.equal(server.saved.length, 1);
  two.outbox.sentElsewhere({ conversation: "1", client_id: "a" });
  assert.deepEqual(two.states(), []);
});

test("a message added while the last one is done is not forgotten, at whatever moment", async () => {
  for (let moment = 0; moment < 30; moment += 1) {
    server = new Server();
    const { outbox } = tab();
    server.held = [];
    await outbox.add(message("a"));
    await settle();
    server.held.shift()();
    server.held = null;
    for (let turn = 0; turn < moment; turn += 1) await Promise.resolve();
    void outbox.add(message("b"));
    await settle();
    assert.deepEqual(server.saved.map(({ client_id }) => client_id), ["a", "b"], `after ${moment} turns`);
  }
});

test("conversations do not wait for each other, and none for files that go up", async () => {
  const { outbox, states } = tab();
  await outbox.add(message("film", { state: "uploading", uploads: [{ id: "u" }] }));
  await outbox.add(message("a"));
  await outbox.add(message("b", { conversation: "2" }));
  await settle();
  assert.deepEqual(server.saved.map(({ client_id }) => client_id).sort(), ["a", "b"]);
  assert.deepEqual(states(), ["film uploading"]);
  assert.deepEqual([...kept.rows.keys()], ["film"]);
  await outbox.uploaded({ ...message("film"), segments: [{ type: "file", file: "0" }], uploads: undefined });
  await settle();
  assert.deepEqual(states(), []);
});

test("a message at which the server itself breaks holds the others up for a few attempts only", async () => {
  const { outbox, states } = tab();
  mock.timers.enable({ apis: ["setTimeout"] });
  server.fate = Array.from({ length: 5 }, () => new Problem("internal", "broken", { status: 500 }));
  await outbox.add(message("a"));
  await outbox.add(message("b"));
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await settle();
    outbox.wake();
  }
  await settle();
  assert.deepEqual(server.asked, ["a", "a", "a", "a", "a", "b"]);
  assert.deepEqual(states(), ["a failed"]);
  await outbox.retry("1", "a");
  await settle();
  assert.deepEqual(states(), []);
});

test("a proxy without its server is no broken message", async () => {
  const { outbox, states } = tab();
  mock.timers.enable({ apis: ["setTimeout"] });
  server.fate = Array.from({ length: 9 }, () => new Problem("internal", "", { status: 502 }));
  await outbox.add(message("a"));
  for (let attempt = 0; attempt < 9; attempt += 1) {
    await settle();
    outbox.wake();
  }
  await settle();
  assert.equal(server.saved.length, 1);
  assert.deepEqual(states(), []);
});

test("a database that answers nothing keeps no message from being sent", async () => {
  const { outbox, states } = tab();
  mock.timers.enable({ apis: ["setTimeout"] });
  kept.put = kept.remove = kept.all = () => new Promise(() => {});
  void outbox.add(message("a"));
  await settle();
  mock.timers.tick(2000);
  await settle();
  void outbox.add(message("b"));
  await settle();
  mock.timers.tick(2000);
  await settle();
  assert.deepEqual(server.saved.map(({ client_id }) => client_id), ["a", "b"]);
  assert.deepEqual(states(), []);
});

test("what a closed tab left is taken up later, and what is known is not taken up twice", async () => {
  const { outbox, states } = tab();
  server.held = [];
  await outbox.add(message("a"));
  await kept.put("outbox", message("b"));
  await settle();
  await outbox.restore();
  assert.deepEqual(states(), ["a sending", "b queued"]);
  server.held.forEach((go) => go());
  server.held = null;
  await settle();
  assert.deepEqual(server.asked, ["a", "b"]);
});

test("what waits is counted in all tabs", async () => {
  const { outbox } = tab();
  server.held = [];
  await outbox.add(message("a"));
  await kept.put("outbox", message("b"));
  assert.equal(await outbox.waiting(), 2);
});

test("an outbox that was stopped gives the conversation to another tab at once", async () => {
  const one = tab();
  mock.timers.enable({ apis: ["setTimeout"] });
  server.held = [];
  server.fate = [new Problem("network", "")];
  await one.outbox.add(message("a"));
  await settle();
  one.outbox.stop();
  server.held.forEach((go) => go());
  server.held = null;
  const two = tab();
  await two.outbox.restore();
  await settle();
  assert.equal(server.saved.length, 1);
});
