import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { Link } from "../net/link.js";
import { browser, FakeWebSocket, say, settle } from "./browser.js";

/** A tab with its connection, and what it heard. */
function tab() {
  const heard = { events: [], states: [], ended: [], welcomes: 0 };
  const link = new Link("7", "ws://localhost/api/v1/ws", {
    hello: () => ({ token: "secret" }),
    welcomed: () => (heard.welcomes += 1),
    event: (event, leads) => heard.events.push({ ...event, leads }),
    state: (state) => heard.states.push(state),
    ended: (code) => heard.ended.push(code),
  });
  return { link, heard };
}

beforeEach(() => {
  browser();
  mock.timers.reset();
});

test("two tabs share one connection, and both hear everything", async () => {
  const one = tab();
  await settle();
  const two = tab();
  await settle();
  assert.equal(FakeWebSocket.made.length, 1);
  await FakeWebSocket.last.welcome();
  FakeWebSocket.last.tell({ event: "message", seq: 1 });
  await settle();
  assert.deepEqual(one.heard.events, [{ event: "message", seq: 1, leads: true }]);
  assert.deepEqual(two.heard.events, [{ event: "message", seq: 1, leads: false }]);
  assert.equal(two.heard.states.at(-1), "online");
  one.link.stop();
  two.link.stop();
});

test("a tab asks through the one that holds the connection", async () => {
  const one = tab();
  const two = tab();
  await settle();
  await FakeWebSocket.last.welcome();
  const asked = two.link.request("typing", { conversation: "9" });
  await settle();
  assert.deepEqual(FakeWebSocket.last.sent.at(-1), { id: 2, op: "typing", conversation: "9" });
  FakeWebSocket.last.answer("typing", { done: true });
  assert.deepEqual(await asked, { done: true });
  one.link.stop();
  two.link.stop();
});

test("when the tab that holds the connection closes, another one connects", async () => {
  const one = tab();
  const two = tab();
  await settle();
  await FakeWebSocket.last.welcome();
  one.link.stop();
  await settle();
  assert.equal(FakeWebSocket.made.length, 2);
  assert(two.link.leads);
  await FakeWebSocket.last.welcome();
  FakeWebSocket.last.tell({ event: "message", seq: 2 });
  assert.deepEqual(two.heard.events, [{ event: "message", seq: 2, leads: true }]);
  assert.equal(one.heard.events.length, 0);
  two.link.stop();
});

test("the server hears which conversations are on a screen of any tab", async () => {
  const one = tab();
  const two = tab();
  await settle();
  one.link.shows({ open: "1", focused: false });
  two.link.shows({ open: "2", focused: true });
  await settle();
  await FakeWebSocket.last.welcome();
  const said = () => FakeWebSocket.last.sent.filter(({ op }) => op.startsWith("conversation.")).map(({ op, conversation }) => `${op} ${conversation}`);
  assert.deepEqual(said(), ["conversation.open 1", "conversation.open 2"]);
  assert(one.link.isWatched("2"));
  assert(!one.link.isWatched("1"));
  two.link.shows({ open: "1", focused: true });
  await settle();
  assert.deepEqual(said().slice(2), ["conversation.close 2"]);
  one.link.stop();
  two.link.stop();
});

test("a tab that is gone without a word shows nothing any more", async () => {
  const one = tab();
  await settle();
  const two = tab();
  two.link.shows({ open: "2", focused: true });
  await settle();
  assert(one.link.isWatched("2"));
  // A tab that crashes says nothing; the browser gives its locks back.
  mock.method(BroadcastChannel.prototype, "postMessage", () => {});
  two.link.stop();
  await settle();
  mock.restoreAll();
  assert(!one.link.isWatched("2"));
  one.link.stop();
});

test("when the sign-in ends, all tabs hear it", async () => {
  const one = tab();
  const two = tab();
  await settle();
  await FakeWebSocket.last.welcome();
  FakeWebSocket.last.end(4002);
  await settle();
  assert.deepEqual([one.heard.ended, two.heard.ended], [["session_revoked"], ["session_revoked"]]);
  assert.equal(two.heard.states.at(-1), "ended");
  one.link.stop();
  two.link.stop();
});

test("acknowledgments are collected, and only the last of a conversation is told", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { link } = tab();
  await settle();
  await FakeWebSocket.last.welcome();
  link.ack("5", 3);
  link.ack("5", 4);
  link.ack("6", 1);
  mock.timers.tick(300);
  assert.deepEqual(FakeWebSocket.last.sent.filter(({ op }) => op === "ack"), [
    { op: "ack", conversation: "5", seq: 4 },
    { op: "ack", conversation: "6", seq: 1 },
  ]);
  link.stop();
});

test("without locks a tab that stood still leaves the connection to the one that took its place", async () => {
  browser({ locks: false });
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
  const { link, heard } = tab();
  mock.timers.tick(100);
  await FakeWebSocket.last.welcome();
  assert(link.leads);
  // Another tab wrote its note meanwhile, and its connection took the place of this one's.
  localStorage.setItem("myim.link.7", JSON.stringify({ own: "other", until: Date.now() + 6000 }));
  FakeWebSocket.last.end(4009);
  assert.deepEqual(heard.ended, []);
  assert(!link.leads);
  link.stop();
});

test("without locks an old note is asked about before its place is taken", async () => {
  browser({ locks: false });
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
  localStorage.setItem("myim.link.7", JSON.stringify({ own: "other", until: Date.now() - 1 }));
  const { link } = tab();
  assert.notEqual(localStorage.getItem("myim.link.7.asked"), null);
  // Its owner answers, late as it is.
  localStorage.setItem("myim.link.7", JSON.stringify({ own: "other", until: Date.now() + 6000 }));
  mock.timers.tick(1000);
  assert(!link.leads);
  // It is gone for good.
  for (let step = 0; step < 40; step += 1) mock.timers.tick(500);
  assert(link.leads);
  link.stop();
  assert.equal(localStorage.getItem("myim.link.7"), null);
});

test("without locks the owner of a note answers at once when it is asked", () => {
  browser({ locks: false });
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  const { link } = tab();
  mock.timers.tick(100);
  assert(link.leads);
  const { own } = JSON.parse(localStorage.getItem("myim.link.7"));
  mock.timers.tick(60_000);
  say("storage", { key: "myim.link.7.asked" });
  const note = JSON.parse(localStorage.getItem("myim.link.7"));
  assert.equal(note.own, own);
  assert(note.until > Date.now());
  link.stop();
});
