import assert from "node:assert/strict";
import test, { afterEach, beforeEach, mock } from "node:test";
import { Socket } from "../net/socket.js";
import { browser, FakeWebSocket, say, settle, show } from "./browser.js";

let heard;
let socket;

beforeEach(() => {
  browser();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  heard = { states: [], events: [], welcomes: 0, ended: [] };
  socket = new Socket("ws://localhost/api/v1/ws", {
    hello: () => ({ token: "secret" }),
    welcomed: () => (heard.welcomes += 1),
    event: (event) => heard.events.push(event),
    state: (state) => heard.states.push(state),
    ended: (code) => heard.ended.push(code),
  });
  socket.start();
});

afterEach(() => socket.stop());

test("it says hello first, and is on line when that was answered", async () => {
  const ws = FakeWebSocket.last;
  assert.equal(ws.protocol, "myim.v1");
  await ws.welcome();
  assert.deepEqual(ws.sent[0], { id: 1, op: "hello", token: "secret" });
  assert.deepEqual(heard.states, ["connecting", "online"]);
  assert.equal(heard.welcomes, 1);
});

test("answers find their requests, whatever their order", async () => {
  const ws = FakeWebSocket.last;
  await ws.welcome();
  const first = socket.request("read", { seq: 1 });
  const second = socket.request("typing");
  ws.tell({ id: 3, ok: { second: true } });
  ws.tell({ id: 2, error: { code: "blocked", message: "no" } });
  assert.deepEqual(await second, { second: true });
  await assert.rejects(first, { code: "blocked" });
});

test("a connection that breaks is made again soon, then after longer and longer waits", async () => {
  await FakeWebSocket.last.welcome();
  const asked = socket.request("typing");
  FakeWebSocket.last.end(1006);
  await assert.rejects(asked, { code: "network" });
  mock.timers.tick(999);
  assert.equal(FakeWebSocket.made.length, 1);
  mock.timers.tick(501);
  assert.equal(FakeWebSocket.made.length, 2);
  FakeWebSocket.last.end(1006);
  assert.equal(heard.states.at(-1), "offline");
  mock.timers.tick(1999);
  assert.equal(FakeWebSocket.made.length, 2);
  mock.timers.tick(1001);
  assert.equal(FakeWebSocket.made.length, 3);
  await FakeWebSocket.last.welcome();
  assert.equal(heard.welcomes, 2);
  assert.equal(heard.states.at(-1), "online");
});

test("a server that stops says when to come back", async () => {
  await FakeWebSocket.last.welcome();
  FakeWebSocket.last.tell({ event: "server.draining", reconnect_after_ms: 5000 });
  FakeWebSocket.last.end(1012);
  mock.timers.tick(4999);
  assert.equal(FakeWebSocket.made.length, 1);
  mock.timers.tick(1);
  assert.equal(FakeWebSocket.made.length, 2);
});

for (const [code, why] of [[4001, "unauthenticated"], [4002, "session_revoked"], [4009, "replaced"]]) {
  test(`after ${code} no connection is made any more`, async () => {
    await FakeWebSocket.last.welcome();
    FakeWebSocket.last.end(code);
    assert.deepEqual(heard.ended, [why]);
    mock.timers.tick(600_000);
    say("online");
    assert.equal(FakeWebSocket.made.length, 1);
  });
}

test("a token that is worth nothing ends it", async () => {
  FakeWebSocket.last.onopen();
  await settle();
  FakeWebSocket.last.tell({ id: 1, error: { code: "unauthenticated", message: "" } });
  await settle();
  assert.deepEqual(heard.ended, ["unauthenticated"]);
});

test("a server that says nothing for long is asked, and given up when it does not answer", async () => {
  const ws = FakeWebSocket.last;
  await ws.welcome();
  mock.timers.tick(25_000);
  assert.equal(ws.sent.at(-1).op, "ping");
  mock.timers.tick(15_000);
  assert(ws.isClosed);
  assert(heard.states.includes("offline"));
});

test("a connection that is never made is given up", () => {
  mock.timers.tick(15_000);
  assert(FakeWebSocket.made[0].isClosed);
  mock.timers.tick(1500);
  assert.equal(FakeWebSocket.made.length, 2);
});

test("without a network it waits no longer than that is gone", async () => {
  await FakeWebSocket.last.welcome();
  say("offline");
  assert.equal(heard.states.at(-1), "offline");
  mock.timers.tick(1500);
  FakeWebSocket.last.end(1006);
  const { length } = FakeWebSocket.made;
  say("online");
  assert.equal(FakeWebSocket.made.length, length + 1);
});

test("what an old connection says late is not heard", async () => {
  const old = FakeWebSocket.last;
  await old.welcome();
  old.end(1006);
  mock.timers.tick(1500);
  await FakeWebSocket.last.welcome();
  old.tell({ event: "message" });
  old.end(4009);
  assert.deepEqual(heard.events, []);
  assert.deepEqual(heard.ended, []);
});

test("a page that is looked at again asks whether its connection still is one", async () => {
  const ws = FakeWebSocket.last;
  await ws.welcome();
  show("visible");
  assert.equal(ws.sent.at(-1).op, "ping");
});

/** How long it waits after a connection that ended at once. */
const waitAfter = async (code) => {
  await FakeWebSocket.last.welcome();
  FakeWebSocket.last.end(code);
  const made = FakeWebSocket.made.length;
  let waited = 0;
  for (; FakeWebSocket.made.length === made; waited += 100) mock.timers.tick(100);
  return waited;
};

test("a server that takes connections and closes them is left alone for longer and longer", async () => {
  const waits = [];
  for (let time = 0; time < 8; time += 1) waits.push(await waitAfter(4003));
  for (const [at, least] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) assert(waits[at] >= least * 1000 && waits[at] <= least * 1500 + 100, `${waits}`);
});

test("a connection that held is made again soon", async () => {
  for (let time = 0; time < 4; time += 1) await waitAfter(1006);
  await FakeWebSocket.last.welcome();
  mock.timers.tick(10_000);
  FakeWebSocket.last.end(1006);
  const { length } = FakeWebSocket.made;
  mock.timers.tick(1500);
  assert.equal(FakeWebSocket.made.length, length + 1);
});

test("a server whose database does not answer gets a few seconds", async () => {
  assert(await waitAfter(1013) >= 3_000);
});
