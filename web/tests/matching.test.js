import assert from "node:assert/strict";
import test from "node:test";
import { nameOf, titleOf } from "../state/conversations.js";
import { byName, contactName, findContacts, findConversations, matcher } from "../state/matching.js";
import { nameAlone } from "../state/namesakes.js";
import { initials } from "../state/pinyin.js";

const contact = (id, nickname, more = {}) => ({ user: { id, username: `user${id}`, nickname }, remark: "", list: "My Friends", ...more });
const mapOf = (contacts) => new Map(contacts.map((one) => [one.user.id, one]));

test("every word has to be there, whatever the case and the accents", () => {
  assert.ok(matcher("dub ém")("Emile Dubois"));
  assert.ok(matcher("EMILE")("Émile"));
  assert.ok(!matcher("emile smith")("Émile Dubois"));
  assert.ok(matcher("")("anybody"));
  assert.ok(matcher("ann 7")("Ann", undefined, "17"));
});

test("a Chinese name is found by the letters of its syllables", () => {
  assert.equal(initials("张三 and 李小龙"), "zslxl");
  assert.ok(matcher("lxl")("李小龙"));
  assert.ok(matcher("小龙")("李小龙"));
  assert.ok(!matcher("ab")("李小龙"));
});

test("contacts are found by remark, names and number, and sorted as the language does", () => {
  const contacts = mapOf([contact("1", "Zoe"), contact("2", "Ärger"), contact("3", "bob", { remark: "Anna" })]);
  const names = (query) => findContacts({ contacts }, query, "en").map(({ user }) => user.id);
  assert.deepEqual(names(""), ["3", "2", "1"]);
  assert.deepEqual(names("bob"), ["3"]);
  assert.deepEqual(names("user1"), ["1"]);
  const chinese = mapOf([contact("1", "张三"), contact("2", "李四"), contact("3", "王五")]);
  assert.deepEqual(byName(chinese, "zh").map(({ user }) => user.nickname), ["李四", "王五", "张三"]);
});

test("conversations are found by name, the newest activity first", () => {
  const conversations = new Map([
    ["1", { id: "1", kind: "group", group: { id: "9", name: "Team A" }, active_at: "2026-01-01" }],
    ["2", { id: "2", kind: "group", group: { id: "8", name: "team b" }, active_at: "2026-02-01" }],
    ["3", { id: "3", kind: "direct", peer: { id: "5", username: "tea", nickname: "Kim" }, active_at: "2026-01-15" }],
  ]);
  const state = { conversations, users: new Map(), contacts: new Map(), members: new Map() };
  assert.deepEqual(findConversations(state, "tea").map(({ id }) => id), ["2", "3", "1"]);
});

test("contacts of one name are told apart by their user names, and so is who only looks like one", () => {
  const contacts = mapOf([contact("1", "Ann"), contact("2", "ann"), contact("3", "Bob"), contact("4", "Annie", { remark: "Carl" })]);
  const state = { me: { id: "9", nickname: "Ann" }, contacts, members: new Map(), users: new Map([["7", { id: "7", username: "bob7", nickname: "Bob" }]]) };
  const shown = (id) => contactName(state, contacts.get(id));
  assert.deepEqual(["1", "2", "3", "4"].map(shown), ["Ann (@user1)", "ann (@user2)", "Bob", "Carl"]);
  assert.equal(titleOf(state, { peer: { id: "1", username: "user1", nickname: "Ann" } }), "Ann (@user1)");
  assert.equal(titleOf(state, { peer: { id: "3", username: "user3", nickname: "Bob" } }), "Bob");
  assert.equal(nameOf(state, "7"), "Bob (@bob7)");
  assert.equal(nameOf(state, "9"), "Ann");
  assert.equal(nameAlone("Ann (@user1)"), "Ann");
  assert.equal(nameAlone("Ann (away)"), "Ann (away)");
});
