import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { ConversationLoader } from "../state/conversation_loader.js";
import { Store } from "../state/store.js";
import { Problem } from "../net/problem.js";
import { settle } from "./browser.js";

let store;
let loader;
let asked;
let onServer;
let held;
let problem;

const conversation = (id, last_seq = 1) => ({ id, kind: "group", group: { id, name: id }, last_seq, last_message: null });

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  asked = [];
  held = undefined;
  problem = null;
  onServer = new Map();
  store = new Store({ conversations: new Map(), conversationsLoaded: false, users: new Map() });
  const api = {
    conversations: async () => {
      asked.push("list");
      if (problem) throw problem;
      const items = [...onServer.values()];
      if (held) await new Promise((go) => (held.go = go));
      return { items, next: null };
    },
    conversation: async (id) => {
      asked.push(id);
      if (problem) throw problem;
      return onServer.get(id);
    },
  };
  loader = new ConversationLoader(store, api);
});

const pause = async () => {
  await settle();
  mock.timers.tick(1_000);
  await settle();
};

test("a device that is new asks for the list once, whatever it hears of", async () => {
  for (let at = 0; at < 2_000; at += 1) {
    onServer.set(String(at), conversation(String(at)));
    loader.want(String(at), 1);
  }
  await pause();
  assert.deepEqual(asked, []);
  await loader.load();
  await pause();
  assert.deepEqual(asked, ["list"]);
});

test("what the list does not have up to there is asked for", async () => {
  onServer.set("5", conversation("5", 3));
  await loader.load();
  loader.want("5", 3);
  loader.want("6", 1);
  onServer.set("6", conversation("6"));
  await pause();
  assert.deepEqual(asked, ["list", "6"]);
  loader.want("5", 4);
  await pause();
  assert.deepEqual(asked, ["list", "6", "5"]);
  loader.want("5");
  loader.want("5");
  await pause();
  assert.deepEqual(asked, ["list", "6", "5", "5"]);
});

test("many are asked for as a list", async () => {
  await loader.load();
  for (let at = 0; at < 50; at += 1) {
    onServer.set(String(at), conversation(String(at)));
    loader.want(String(at), 1);
  }
  await pause();
  assert.deepEqual(asked, ["list", "list"]);
  assert.equal(store.state.conversations.size, 50);
});

test("a message that came before the list that does not know it yet stays", async () => {
  onServer.set("5", conversation("5", 3));
  store.put("conversations", "5", { ...conversation("5", 4), last_message: { seq: 4, sender: "2", time: "2026-01-01", segments: [] } });
  await loader.load();
  assert.equal(store.state.conversations.get("5").last_seq, 4);
});

/** Loads the list, and does something before its answer comes, which left the server before. */
const whileListing = async (work) => {
  held = {};
  const loaded = loader.load();
  await settle();
  work();
  held.go();
  await loaded;
  held = undefined;
};

const direct = (more) => ({ ...conversation("5", 3), kind: "direct", read_seq: 3, unread: 0, mentions: 0, hidden: false, active_at: "2026-01-01", peer_read_seq: 1, peer_delivered_seq: 1, ...more });
const five = () => store.state.conversations.get("5");

test("a list that left before events does not undo them, and what it did not count is counted again", async () => {
  onServer.set("5", direct({ unread: 2, last_seq: 5 }));
  store.put("conversations", "5", direct());
  const last_message = { seq: 6, sender: "2", time: "2026-01-02", segments: [] };
  await whileListing(() => store.put("conversations", "5", direct({ last_seq: 6, unread: 1, last_message, active_at: "2026-01-02", peer_read_seq: 3, peer_delivered_seq: 3 })));
  assert.deepEqual([five().last_seq, five().peer_read_seq, five().peer_delivered_seq, five().last_message.seq, five().active_at], [6, 3, 3, 6, "2026-01-02"]);
  onServer.set("5", direct({ unread: 3, last_seq: 6, last_message }));
  await pause();
  assert.deepEqual(asked, ["list", "5"]);
  assert.equal(five().unread, 3);
});

test("what was read here stays read, whatever an answer says that left before", async () => {
  onServer.set("5", direct({ last_seq: 5, unread: 2 }));
  await loader.load();
  store.put("conversations", "5", { ...five(), read_seq: 5, unread: 0 });
  await loader.loadOne("5");
  assert.deepEqual([five().read_seq, five().unread], [5, 0]);
  await loader.load();
  assert.deepEqual([five().read_seq, five().unread], [5, 0]);
});

test("what is loaded of one does not put it back", async () => {
  store.put("conversations", "5", direct({ last_seq: 9, unread: 4, hidden: false }));
  onServer.set("5", direct({ hidden: true, pinned: true }));
  await loader.loadOne("5");
  assert.deepEqual([five().last_seq, five().unread, five().hidden, five().pinned], [9, 4, false, true]);
});

test("a conversation made while the list comes stays, one that ended does not come back", async () => {
  onServer.set("5", direct());
  onServer.set("6", conversation("6"));
  await loader.load();
  await whileListing(() => {
    store.put("conversations", "7", conversation("7"));
    store.put("conversations", "6", undefined);
  });
  assert.deepEqual([...store.state.conversations.keys()].sort(), ["5", "7"]);
  onServer.delete("6");
  problem = new Problem("not_a_member", "", { status: 403 });
  await pause();
  assert.deepEqual([...store.state.conversations.keys()], ["5"]);
});

test("what is not in the list any more is gone", async () => {
  onServer.set("5", direct());
  await loader.load();
  onServer.delete("5");
  await loader.load();
  assert.equal(store.state.conversations.size, 0);
});

test("what was wanted and could not be loaded is asked for again", async () => {
  await loader.load();
  onServer.set("6", conversation("6"));
  problem = new Problem("unavailable", "", { status: 503 });
  loader.want("6", 1);
  await pause();
  assert.equal(store.state.conversations.size, 0);
  problem = null;
  await pause();
  await pause();
  assert(store.state.conversations.has("6"));
  problem = new Problem("unavailable", "", { status: 503 });
  onServer.set("8", conversation("8"));
  loader.loadSoon();
  await pause();
  problem = null;
  await pause();
  await pause();
  assert(store.state.conversations.has("8"));
});
