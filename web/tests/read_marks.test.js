import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { Problem } from "../net/problem.js";
import { ReadMarks } from "../state/read_marks.js";
import { browser, say, settle } from "./browser.js";

let sent;
let told;
let problem;
let marks;

const pass = async (ms) => {
  mock.timers.tick(ms);
  await settle(3);
};

beforeEach(() => {
  browser();
  marks?.stop();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  sent = [];
  told = [];
  problem = null;
  const api = {
    read: async (id, seq, { keepalive = false } = {}) => {
      sent.push([id, seq, keepalive]);
      if (problem) throw problem;
    },
  };
  marks = new ReadMarks(api, (id, seq) => told.push([id, seq]));
});

test("reading is told once for many marks, the furthest of each conversation", async () => {
  for (const seq of [1, 3, 2]) marks.mark("5", seq);
  marks.mark("6", 9);
  await pass(400);
  assert.deepEqual(sent, [["5", 3, false], ["6", 9, false]]);
  assert.deepEqual(told, [["5", 3], ["6", 9]]);
  await pass(60_000);
  assert.equal(sent.length, 2);
});

test("what could not be told is told when there is a connection again", async () => {
  problem = new Problem("network", "");
  marks.mark("5", 3);
  await pass(400);
  problem = null;
  marks.wake();
  await pass(0);
  assert.deepEqual(sent, [["5", 3, false], ["5", 3, false]]);
  assert.deepEqual(told, [["5", 3]]);
  marks.wake();
  await pass(60_000);
  assert.equal(sent.length, 2);
});

test("a server that is busy is told later", async () => {
  problem = new Problem("rate_limited", "", { status: 429 });
  marks.mark("5", 3);
  await pass(400);
  problem = null;
  await pass(1_000);
  assert.deepEqual(told, [["5", 3]]);
});

test("what is refused is not told again", async () => {
  problem = new Problem("not_a_member", "", { status: 403 });
  marks.mark("5", 3);
  await pass(400);
  marks.wake();
  await pass(60_000);
  assert.equal(sent.length, 1);
});

test("a page that closes tells what still waits", async () => {
  marks.mark("5", 3);
  say("pagehide");
  assert.deepEqual(sent, [["5", 3, true]]);
});
