import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { browser, FakeWebSocket, settle } from "./browser.js";

browser();
Object.assign(globalThis.navigator, { userAgent: "Firefox/140 Linux" });
const { App } = await import("../state/app.js");
const { accounts, currentAccount, keepAccount } = await import("../state/accounts.js");

/** What the server answers, by method and path; the rest answers nothing, and so does a cut network. */
let answers;
let asked;

const account = (session_id, user_id = "7", username = "ann") => ({ user_id, username, token: `token-${session_id}`, session_id });

/** A browser whose tabs all run here: each has a session storage of its own. */
async function tab() {
  const own = sessionStorage;
  const app = new App();
  await app.start();
  return { app, reload: () => Object.defineProperty(globalThis, "sessionStorage", { value: own, configurable: true, writable: true }) };
}

/** Another tab: nothing is known of it yet. */
function otherTab() {
  const Storage = /** @type {any} */ (sessionStorage.constructor);
  Object.defineProperty(globalThis, "sessionStorage", { value: new Storage(), configurable: true, writable: true });
  return tab();
}

beforeEach(() => {
  mock.timers.reset();
  browser();
  mock.timers.enable({ apis: ["setTimeout"] });
  asked = [];
  answers = {};
  // A database that never opens holds nothing up.
  globalThis.indexedDB = { open: () => ({}), deleteDatabase: (name) => asked.push(`forget ${name}`) };
  globalThis.fetch = async (url, { method, headers, signal }) => {
    asked.push(`${method} ${url} ${headers.authorization ?? ""}`.trim());
    const answer = answers[`${method} ${url}`];
    if (!answer) throw new TypeError("fetch failed");
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      if (answer !== "late") resolve(answer());
      else answers.late = resolve;
    });
  };
});

test("a tab stays the account's with which it began", async () => {
  keepAccount(account("a", "7", "ann"));
  sessionStorage.removeItem("myim.account");
  const first = await tab();
  const other = await otherTab();
  keepAccount(account("b", "8", "bob"));
  first.reload();
  assert.equal(currentAccount()?.user_id, "7");
  first.app.client?.stop();
  other.app.client?.stop();
});

test("a sign-in that ends takes nothing from a newer one of the same account", async () => {
  keepAccount(account("old"));
  const old = await tab();
  await settle();
  keepAccount(account("new"));
  const fresh = await otherTab();
  await settle();
  assert.equal(FakeWebSocket.made.length, 2, "each sign-in has a connection of its own");
  await FakeWebSocket.made[0].welcome();
  FakeWebSocket.made[0].end(4002);
  await settle();
  assert.equal(old.app.client, null);
  assert.equal(fresh.app.client?.account.session_id, "new");
  assert.deepEqual(accounts().map(({ token }) => token), ["token-new"]);
  fresh.app.client?.stop();
});

test("signing out ends all tabs of the sign-in, and forgets what was kept", async () => {
  keepAccount(account("a"));
  const one = await tab();
  const two = await otherTab();
  await settle();
  answers["DELETE /api/v1/sessions/current"] = () => new Response(null, { status: 204 });
  await two.app.signOut();
  await settle();
  assert.deepEqual([one.app.client, two.app.client], [null, null]);
  assert.deepEqual([one.app.store.state.endedBy, two.app.store.state.endedBy], ["signed_out", "signed_out"]);
  assert.deepEqual(accounts(), []);
  assert(asked.includes("DELETE /api/v1/sessions/current Bearer token-a"));
  assert(asked.includes("forget myim-7"));
});

test("signing out without a network says that the server does not know it", async () => {
  keepAccount(account("a"));
  const { app } = await tab();
  await settle();
  await app.signOut();
  assert.equal(app.client, null);
  assert.equal(app.store.state.endedBy, "signed_out_here");
  assert.deepEqual(accounts(), []);
});

test("what answers after an account's turn writes nothing into the next one's state", async () => {
  keepAccount(account("a"));
  answers["GET /api/v1/me"] = "late";
  answers["GET /api/v1/server"] = () => Response.json({ name: "x", limits: {} });
  const { app } = await tab();
  await settle();
  const { client } = app;
  const { late } = answers;
  app.switchTo(account("b", "8", "bob"));
  late(Response.json({ id: "7" }));
  client?.store.set({ link: "online" });
  client?.store.put("drafts", "1", { text: "a" });
  await settle();
  assert.equal(app.store.state.me, null);
  assert.equal(app.store.state.link, "connecting");
  assert.equal(app.store.state.drafts.size, 0);
  app.client?.stop();
});

test("after every connect the tab that holds the connection takes up what others left", async () => {
  keepAccount(account("a"));
  const one = await tab();
  const two = await otherTab();
  await settle();
  const restored = [one, two].map(({ app }) => mock.method(app.client.outbox, "restore", async () => {}).mock);
  await FakeWebSocket.last.welcome();
  assert.deepEqual(restored.map((mocked) => mocked.callCount()), [1, 0]);
  one.app.client.stop();
  await settle();
  await FakeWebSocket.last.welcome();
  assert.deepEqual(restored.map((mocked) => mocked.callCount()), [1, 1]);
  two.app.client.stop();
});

test("an account whose client does not come is told of, and kept for the next load of the page", async () => {
  const app = new App();
  keepAccount(account("a"));
  await app.start(async () => Promise.reject(new TypeError("Failed to fetch dynamically imported module")));
  assert.equal(app.client, null);
  assert.equal(app.store.state.notLoaded, true);
  assert.equal(currentAccount()?.user_id, "7");
});

test("of two accounts that are chosen while the client comes the last is at work", async () => {
  const app = new App();
  let come;
  await app.start(() => new Promise((resolve) => (come = resolve)));
  app.switchTo(account("a", "7", "ann"));
  app.switchTo(account("b", "8", "bob"));
  come((await import("../state/client.js")).Client);
  await settle();
  assert.equal(app.client?.account.user_id, "8");
  assert.equal(FakeWebSocket.made.length, 1);
  app.client?.stop();
});

test("a new tab may be asked to be a certain account's, and goes its own way after that", () => {
  keepAccount(account("a", "7", "ann"));
  keepAccount(account("b", "8", "bob"));
  sessionStorage.removeItem("myim.account");
  location.search = "?account=7";
  assert.equal(currentAccount()?.user_id, "7");
  sessionStorage.setItem("myim.account", "8");
  assert.equal(currentAccount()?.user_id, "8");
});
