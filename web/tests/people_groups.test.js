import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { Problem } from "../net/problem.js";
import { Groups } from "../state/groups.js";
import { People } from "../state/people.js";
import { Store } from "../state/store.js";
import { settle } from "./browser.js";

let store;
let asked;
let problem;
let users;
let people;
let groups;

const pass = async (ms) => {
  mock.timers.tick(ms);
  await settle();
};

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  asked = [];
  problem = null;
  users = { 1: { id: "1", nickname: "Ann" }, 2: { id: "2", nickname: "Bob" } };
  const conversations = new Map([["50", { id: "50", kind: "group", group: { id: "5" } }]]);
  store = new Store({ me: { id: "1", nickname: "Ann", mail: "a@example.org", admin: true }, users: new Map(), contacts: new Map(), conversations, groups: new Map(), members: new Map(), route: { page: "chats", parts: ["50"] } });
  const answer = (name, value) => async () => {
    asked.push(name);
    if (problem) throw problem;
    return value;
  };
  const list = { items: [] };
  const api = {
    user: (id) => answer(`user ${id}`, users[id])(),
    group: (id) => answer(`group ${id}`, { id, role: "member" })(),
    members: async () => ({ items: [], next: null }),
    contacts: answer("contacts", list),
    requests: async () => list,
    contactLists: async () => list,
    blocks: async () => list,
  };
  people = new People(store, api, { retry: () => {} }, () => {});
  groups = new Groups({ store, api });
});

test("what one emptied on another device is empty here, and an administrator stays one", async () => {
  people.changedProfile("1");
  await pass(150);
  assert.deepEqual(store.state.me, { id: "1", nickname: "Ann", admin: true });
});

test("what changed and could not be loaded is asked for again", async () => {
  problem = new Problem("network", "");
  groups.need("5");
  await settle();
  problem = null;
  groups.need("5");
  await settle();
  problem = new Problem("rate_limited", "", { status: 429 });
  people.changed();
  people.changedProfile("2");
  groups.changed("5");
  await pass(150);
  problem = null;
  asked = [];
  await pass(1_000);
  assert.deepEqual(asked.sort(), ["contacts", "group 5", "user 2"]);
  assert.equal(store.state.users.get("2").nickname, "Bob");
});

test("after a reconnect only the group on the screen is loaded again, others when they are looked at", async () => {
  for (const id of ["5", "6", "7"]) groups.need(id);
  await settle();
  asked = [];
  groups.reload();
  await pass(150);
  assert.deepEqual(asked, ["group 5"]);
  groups.need("5");
  groups.need("6");
  await settle();
  assert.deepEqual(asked, ["group 5", "group 6"]);
  store.set({ route: { page: "people", parts: ["group", "6"] } });
  asked = [];
  groups.reload();
  await pass(150);
  assert.deepEqual(asked, ["group 6"]);
});
