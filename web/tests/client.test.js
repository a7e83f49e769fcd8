import assert from "node:assert/strict";
import test, { afterEach, beforeEach, mock } from "node:test";
import { browser, FakeWebSocket, settle } from "./browser.js";

browser();
const { Client } = await import("../state/client.js");
const { initialState } = await import("../state/initial.js");
const { Store } = await import("../state/store.js");

let client;
let store;
let asked;
/** What the server answers, by path; a number refuses. */
let answers;

const message = (seq) => ({ conversation: "5", seq, sender: "2", time: "2026-01-01", client_id: "", segments: [] });
const conversation = (last_seq) => ({ id: "5", kind: "direct", peer: { id: "2" }, notify: "all", last_seq, read_seq: last_seq, unread: 0, mentions: 0, active_at: "", last_message: message(last_seq) });
const log = (...seqs) => ({ items: seqs.map(message), next: null });
const window = () => store.state.windows.get("5");
const seqs = () => window()?.messages.map(({ seq }) => seq);
const pass = async (ms) => {
  mock.timers.tick(ms);
  await settle();
};

beforeEach(() => {
  mock.timers.reset();
  browser();
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  asked = [];
  const nothing = { items: [], next: null };
  answers = {
    "/me": { id: "1" },
    "/server": {},
    "/contacts": nothing,
    "/contacts/requests": nothing,
    "/contact_lists": nothing,
    "/blocks": nothing,
    "/conversations": { items: [conversation(2)], next: null },
    "/conversations/5/messages": log(1, 2),
  };
  globalThis.indexedDB = { open: () => ({}) };
  globalThis.fetch = async (url) => {
    const path = new URL(url, location.href).pathname.replace("/api/v1", "");
    asked.push(path);
    const answer = answers[path] ?? 404;
    return typeof answer === "number" ? Response.json({ code: "refused" }, { status: answer }) : Response.json(answer);
  };
  store = new Store({ ...initialState(), route: { page: "chats", parts: ["5"], query: new URLSearchParams() } });
  client = new Client({ user_id: "1", username: "ann", token: "t", session_id: "s" }, store, () => {});
});

afterEach(() => client.stop());

/** Makes a connection. @param {object} welcome what the server says besides */
async function connect(welcome) {
  await settle();
  const ws = FakeWebSocket.last;
  ws.onopen();
  await settle();
  ws.answer("hello", welcome);
  await settle();
  return ws;
}

test("another history than before is read anew", async () => {
  const first = await connect({ epoch: "a" });
  await client.history.open("5");
  assert.deepEqual(seqs(), [1, 2]);
  first.end(1006);
  await pass(60_000);
  answers["/conversations"] = { items: [conversation(1)], next: null };
  answers["/conversations/5/messages"] = log(1);
  const second = await connect({ epoch: "b", resync: true });
  assert.deepEqual([first.sent[0].epoch, second.sent[0].epoch], [undefined, "a"]);
  assert.deepEqual([seqs(), window().atEnd, store.state.conversations.get("5").last_seq], [[1], true, 1]);
  second.end(1006);
  await pass(60_000);
  const third = await connect({ epoch: "b" });
  assert.equal(third.sent[0].epoch, "b");
});

test("what was missed is asked for until it is here, and not read before", async () => {
  const first = await connect({ epoch: "a" });
  await client.history.open("5");
  first.end(1006);
  await pass(60_000);
  answers["/conversations"] = { items: [conversation(5)], next: null };
  answers["/conversations/5/messages"] = 503;
  const second = await connect({ epoch: "a" });
  second.tell({ event: "message", conversation: "5", seq: 5, message: message(5) });
  await settle();
  assert.deepEqual([seqs(), window().atEnd], [[1, 2], false]);
  answers["/conversations/5/messages"] = log(1, 2, 3, 4, 5);
  await pass(1_000);
  await client.history.newer("5");
  assert.deepEqual([seqs(), window().atEnd, client.history.isBroken("5")], [[1, 2, 3, 4, 5], true, false]);
});
