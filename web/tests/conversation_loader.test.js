import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { ConversationLoader } from "../state/conversation_loader.js";
import { Store } from "../state/store.js";
import { settle } from "./browser.js";

let store;
let loader;
let asked;
let onServer;

const conversation = (id, last_seq = 1) => ({ id, kind: "group", group: { id, name: id }, last_seq, last_message: null });

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  asked = [];
  onServer = new Map();
  store = new Store({ conversations: new Map(), conversationsLoaded: false, users: new Map() });
  const api = {
    conversations: async () => {
      asked.push("list");
      return { items: [...onServer.values()], next: null };
    },
    conversation: async (id) => {
      asked.push(id);
      return onServer.get(id);
    },
  };
  loader = new ConversationLoader(store, api, "1");
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
