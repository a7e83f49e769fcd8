import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { Backoff } from "../net/backoff.js";
import { Http } from "../net/http.js";
import { freshId } from "../net/ids.js";
import { Problem } from "../net/problem.js";
import { Files } from "../state/files.js";
import { oncePerFrame } from "../state/pace.js";
import { Store } from "../state/store.js";
import { settle } from "./browser.js";

let asked;
let answer;
let unauthenticated;
let http;

beforeEach(() => {
  mock.timers.reset();
  asked = [];
  unauthenticated = 0;
  globalThis.fetch = async (url, options) => {
    asked.push({ url, ...options });
    if (answer instanceof Error) throw answer;
    return answer;
  };
  http = new Http(() => "secret", () => (unauthenticated += 1));
});

test("a request has the token, and what is not given is left out", async () => {
  answer = Response.json({ ok: 1 });
  assert.deepEqual(await http.request("GET", "/messages", { query: { after: 0, cursor: undefined } }), { ok: 1 });
  assert.equal(asked[0].url, "/api/v1/messages?after=0");
  assert.equal(asked[0].headers.authorization, "Bearer secret");
  assert.equal(asked[0].body, undefined);
});

test("an answer may be empty", async () => {
  answer = new Response(null, { status: 204 });
  assert.equal(await http.request("DELETE", "/x"), null);
});

test("errors are told by their code, and when to come again", async () => {
  answer = Response.json({ code: "rate_limited", detail: "slow down", retry_after: 3 }, { status: 429 });
  await assert.rejects(http.request("GET", "/x"), { code: "rate_limited", detail: "slow down", status: 429, retryAfter: 3, passes: true });
  answer = new Response("a proxy's page", { status: 502 });
  await assert.rejects(http.request("GET", "/x"), { status: 502, passes: true });
  answer = new TypeError("fetch failed");
  await assert.rejects(http.request("GET", "/x"), { code: "network", passes: true });
  answer = Response.json({ code: "muted" }, { status: 403 });
  await assert.rejects(http.request("GET", "/x"), { code: "muted", passes: false });
  answer = new Response("{cut", { status: 200 });
  await assert.rejects(http.request("GET", "/x"), { code: "network" });
});

test("a token that is worth nothing is told", async () => {
  answer = Response.json({ code: "unauthenticated" }, { status: 401 });
  await assert.rejects(http.request("GET", "/x"));
  assert.equal(unauthenticated, 1);
  answer = Response.json({ code: "bad_credentials" }, { status: 401 });
  await assert.rejects(http.request("POST", "/sessions", { body: {} }));
  assert.equal(unauthenticated, 1);
});

test("waits become longer up to a limit, and begin anew after a success", () => {
  mock.method(Math, "random", () => 1);
  const backoff = new Backoff();
  const waits = Array.from({ length: 9 }, () => backoff.next());
  assert.deepEqual(waits, [0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  backoff.succeeded();
  assert.equal(backoff.next(), 0);
  mock.restoreAll();
});

test("names of one's own are visible ASCII, and no two are equal", () => {
  const ids = new Set(Array.from({ length: 100 }, freshId));
  assert.equal(ids.size, 100);
  for (const id of ids) assert.match(id, /^[\x21-\x7e]{1,64}$/);
});

test("listeners of the store hear of many changes once", async () => {
  const store = new Store({ drafts: new Map(), link: "connecting" });
  let heard = 0;
  const end = store.subscribe(() => (heard += 1));
  const before = store.state;
  store.set({ link: "online" });
  store.put("drafts", "1", { text: "a" });
  await settle();
  assert.equal(heard, 1);
  assert.equal(before.drafts.size, 0, "state is never changed in place");
  end();
  store.set({ link: "offline" });
  await settle();
  assert.equal(heard, 1);
});

test("a store that changes all the time tells of it once a frame, and of the last change, too", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let now = 1_000;
  mock.method(performance, "now", () => now);
  const store = new Store({ drafts: new Map() }, oncePerFrame());
  /** @type {number[]} */
  const heard = [];
  store.subscribe(({ drafts }) => heard.push(drafts.size));
  for (let number = 1; number <= 3; number += 1) {
    store.put("drafts", String(number), { text: "a" });
    await Promise.resolve();
  }
  assert.deepEqual(heard, [1], "the first at once");
  now += 16;
  mock.timers.tick(16);
  assert.deepEqual(heard, [1, 3]);
  now += 100;
  store.put("drafts", "4", { text: "a" });
  await Promise.resolve();
  assert.deepEqual(heard, [1, 3, 4], "at once after a pause");
  mock.timers.reset();
  mock.restoreAll();
});

test("an address is asked for once while it is good, and again after a failure", async () => {
  mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  let calls = 0;
  let fails = true;
  const api = {
    file: async (file) => {
      calls += 1;
      if (fails) throw new Problem("network", "");
      return { url: `http://x/${file}`, expires_at: new Date(Date.now() + 3_600_000).toISOString() };
    },
  };
  const files = new Files(api);
  await assert.rejects(files.address("f", "image"));
  fails = false;
  await Promise.all([files.address("f", "image"), files.address("f", "image")]);
  assert.equal(calls, 2);
  mock.timers.tick(54 * 60_000);
  await files.address("f", "image");
  assert.equal(calls, 2);
  mock.timers.tick(2 * 60_000);
  await files.address("f", "image");
  assert.equal(calls, 3);
});

test("of many addresses the oldest are forgotten", async () => {
  let calls = 0;
  const api = { file: async (file) => (calls++, { url: `http://x/${file}`, expires_at: new Date(Date.now() + 3_600_000).toISOString() }) };
  const files = new Files(api);
  for (let file = 0; file < 501; file += 1) await files.address(String(file), "image");
  await files.address("500", "image");
  await files.address("1", "image");
  assert.equal(calls, 501);
  await files.address("0", "image");
  assert.equal(calls, 502);
});
