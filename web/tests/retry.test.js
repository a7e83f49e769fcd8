import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { Problem } from "../net/problem.js";
import { Retry } from "../state/retry.js";
import { settle } from "./browser.js";

let loads;
let problem;
let retry;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  loads = 0;
  problem = null;
  retry = new Retry(100, async () => {
    loads += 1;
    if (problem) throw problem;
  });
});

const pass = async (ms) => {
  mock.timers.tick(ms);
  await settle(3);
};

test("what is wanted in a row is loaded once", async () => {
  retry.settled();
  await pass(50);
  retry.settled();
  await pass(60);
  assert.equal(loads, 0);
  await pass(60);
  await pass(60_000);
  assert.equal(loads, 1);
});

test("what is wanted all the time is loaded all the same", async () => {
  retry.soon();
  await pass(50);
  retry.soon();
  await pass(60);
  await pass(60_000);
  assert.equal(loads, 1);
});

test("what fails is loaded until it succeeds", async () => {
  problem = new Problem("network", "");
  retry.soon();
  await pass(100);
  await pass(1_000);
  assert.equal(loads, 2);
  await pass(31_000);
  assert.equal(loads, 3);
  problem = null;
  await pass(31_000);
  await pass(60_000);
  assert.equal(loads, 4);
});

test("a server that says when is asked then", async () => {
  problem = new Problem("rate_limited", "", { status: 429, retryAfter: 20 });
  retry.soon();
  await pass(100);
  await pass(19_999);
  assert.equal(loads, 1);
  retry.soon();
  retry.settled();
  await pass(1);
  assert.equal(loads, 2);
  retry.now();
  await pass(0);
  assert.equal(loads, 3);
});

test("what is refused, and what was stopped, is not asked again", async () => {
  problem = new Problem("not_a_member", "", { status: 403 });
  retry.soon();
  await pass(100);
  await pass(60_000);
  assert.equal(loads, 1);
  retry.soon();
  retry.stop();
  retry.soon();
  await pass(60_000);
  assert.equal(loads, 1);
});
