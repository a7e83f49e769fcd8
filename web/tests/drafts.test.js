import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { Drafts } from "../state/drafts.js";
import { Store } from "../state/store.js";
import { browser, say, settle } from "./browser.js";

/** What IndexedDB holds, shared by the tabs of an account. */
let kept;
let tabs;

const database = {
  put: async (_, { conversation, ...draft }) => void kept.set(conversation, draft),
  remove: async (_, conversation) => void kept.delete(conversation),
  all: async () => [...kept].map(([conversation, draft]) => ({ conversation, ...draft })),
};

async function tab() {
  const store = new Store({ drafts: new Map() });
  const made = { store, told: [] };
  made.drafts = new Drafts(store, database, (event) => {
    for (const other of tabs) if (other !== made) other.drafts.heard(event);
  });
  tabs.push(made);
  await made.drafts.restore();
  return { drafts: made.drafts, text: () => store.state.drafts.get("1")?.text };
}

beforeEach(() => {
  browser();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  kept = new Map();
  tabs = [];
});

test("a draft is kept a moment after the last letter, with what it answers", async () => {
  const { drafts } = await tab();
  drafts.keep("1", { text: "h" });
  drafts.keep("1", { text: "hi" });
  drafts.reply("1", 7);
  assert.equal(kept.size, 0);
  mock.timers.tick(400);
  assert.deepEqual([kept.get("1").text, kept.get("1").reply_to], ["hi", 7]);
  assert.equal((await tab()).text(), "hi");
});

test("what was sent is forgotten at once, so that it does not come back", async () => {
  const { drafts, text } = await tab();
  drafts.keep("1", { text: "hi" });
  mock.timers.tick(400);
  drafts.keep("1", { text: "" });
  assert.equal(kept.size, 0);
  assert.equal(text(), undefined);
  mock.timers.tick(400);
  assert.equal(kept.size, 0);
});

test("the last letters before the page is closed are kept", async () => {
  const { drafts } = await tab();
  drafts.keep("1", { text: "hi" });
  say("pagehide");
  await settle();
  assert.equal(kept.get("1")?.text, "hi");
  drafts.stop();
});

test("a client that stops keeps what was typed, and hears no page any more", async () => {
  const { drafts } = await tab();
  drafts.keep("1", { text: "hi" });
  drafts.stop();
  assert.equal(kept.get("1")?.text, "hi");
  kept.clear();
  say("pagehide");
  mock.timers.tick(400);
  assert.equal(kept.size, 0);
});

test("what was sent in one tab goes from the others, unless something else is written there", async () => {
  const one = await tab();
  one.drafts.keep("1", { text: "hi" });
  mock.timers.tick(400);
  const two = await tab();
  const three = await tab();
  three.drafts.keep("1", { text: "hi there" });
  assert.equal(two.text(), "hi");
  one.drafts.keep("1", { text: "" });
  assert.deepEqual([one.text(), two.text(), three.text()], [undefined, undefined, "hi there"]);
  // What is left is kept again.
  mock.timers.tick(400);
  assert.equal(kept.get("1")?.text, "hi there");
});
