import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { progressOf, sorted, unreadTotal, withMessage } from "../state/conversations.js";
import { apply } from "../state/events.js";
import { Store } from "../state/store.js";

let client;
let store;
let asked;

const conversation = (more = {}) => ({ id: "1", kind: "direct", notify: "all", last_seq: 5, read_seq: 5, unread: 0, mentions: 0, pinned: false, hidden: false, active_at: "2026-01-01", last_message: null, ...more });
const message = (seq, more = {}) => ({ conversation: "1", seq, sender: "2", time: "2026-02-01", client_id: "", segments: [], ...more });
const come = (seq, more) => apply(client, { event: "message", conversation: "1", seq, message: message(seq, more) });
const now = () => store.state.conversations.get("1");

beforeEach(() => {
  mock.timers.reset();
  asked = [];
  store = new Store({ me: { id: "1" }, conversations: new Map([["1", conversation()]]), windows: new Map(), typing: new Map(), presence: new Map() });
  const note = (name) => (...args) => void asked.push([name, ...args]);
  client = {
    store,
    account: { user_id: "1" },
    history: { heard: note("heard"), moved: note("moved") },
    outbox: { sentElsewhere: note("sentElsewhere") },
    conversations: { want: note("want"), loadSoon: note("loadSoon"), loadOne: note("loadOne"), take: note("take") },
    people: { changed: note("people.changed"), changedProfile: note("changedProfile") },
    groups: { changed: note("groups.changed") },
  };
});

test("a message of somebody else is unread, and counted once", () => {
  come(6);
  come(6);
  assert.deepEqual([now().unread, now().last_seq, now().active_at], [1, 6, "2026-02-01"]);
});

test("an own message reads what stands before it, and ends its way through the outbox", () => {
  come(6);
  come(7, { sender: "1", client_id: "c" });
  assert.deepEqual([now().unread, now().read_seq], [0, 7]);
  assert.equal(asked.find(([name]) => name === "sentElsewhere")[1].client_id, "c");
});

test("who answers has read what was written before; a group has many readers", () => {
  come(6, { sender: "1", client_id: "c" });
  assert.equal(progressOf(now(), message(6, { sender: "1" })), "sent");
  come(7);
  assert.equal(progressOf(now(), message(6, { sender: "1" })), "read");
  store.put("conversations", "1", conversation({ kind: "group" }));
  come(6);
  assert.equal(now().peer_read_seq, undefined);
});

test("mentions of oneself and of all are counted", () => {
  come(6, { segments: [{ type: "mention", user_id: "1" }] });
  come(7, { segments: [{ type: "mention", user_id: "all" }] });
  come(8, { segments: [{ type: "mention", user_id: "3" }] });
  assert.deepEqual([now().unread, now().mentions], [3, 2]);
});

test("a conversation that is not known is asked for", () => {
  apply(client, { event: "message", conversation: "9", seq: 1, message: message(1, { conversation: "9" }) });
  assert(asked.some(([name, id]) => name === "want" && id === "9"));
});

test("an edit changes the last line, and counts nothing", () => {
  come(6);
  apply(client, { event: "message.updated", conversation: "1", seq: 7, message: message(6, { edited_at: "now" }) });
  assert.equal(now().last_message.edited_at, "now");
  assert.deepEqual([now().unread, now().last_seq], [1, 7]);
});

test("what was read on another device is read here", () => {
  come(6);
  apply(client, { event: "read", conversation: "1", user_id: "1", seq: 6 });
  assert.deepEqual([now().unread, now().read_seq], [0, 6]);
});

test("how far an own message got", () => {
  const own = message(5, { sender: "1" });
  assert.equal(progressOf(now(), own), "sent");
  apply(client, { event: "delivered", conversation: "1", user_id: "2", seq: 5 });
  assert.equal(progressOf(now(), own), "delivered");
  apply(client, { event: "read", conversation: "1", user_id: "2", seq: 5 });
  apply(client, { event: "read", conversation: "1", user_id: "2", seq: 3 });
  assert.equal(progressOf(now(), own), "read");
});

test("typing is shown for a few seconds, or until the message comes", () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1000 });
  const typing = () => store.state.typing.has("1");
  apply(client, { event: "typing", conversation: "1", user_id: "1" });
  assert(!typing());
  apply(client, { event: "typing", conversation: "1", user_id: "2" });
  assert(typing());
  mock.timers.tick(6000);
  assert(!typing());
  apply(client, { event: "typing", conversation: "1", user_id: "2" });
  come(6);
  assert(!typing());
});

test("what happened in a group stands in its history and counts as nothing to read", () => {
  apply(client, { event: "group.member_joined", conversation: "1", seq: 6, group_id: "4", time: "2026-02-01", sender: "2", user_id: "2" });
  assert.equal(now().last_message.notice.type, "member_joined");
  assert.equal(now().unread, 0);
  assert(asked.some(([name, id]) => name === "groups.changed" && id === "4"));
});

test("an event that is not known does nothing", () => {
  apply(client, { event: "something.new", conversation: "1", seq: 6 });
  assert.deepEqual(now(), conversation());
});

test("the list has pinned ones first, then the newest, and no hidden ones", () => {
  const all = [conversation({ id: "a" }), conversation({ id: "b", active_at: "2026-03-01" }), conversation({ id: "c", pinned: true }), conversation({ id: "d", hidden: true })];
  assert.deepEqual(sorted(new Map(all.map((one) => [one.id, one]))).map(({ id }) => id), ["c", "b", "a"]);
});

test("the title counts what somebody wants to hear of", () => {
  const all = [conversation({ id: "a", unread: 2 }), conversation({ id: "b", unread: 5, notify: "nothing" }), conversation({ id: "c", unread: 4, mentions: 1, notify: "mentions" }), conversation({ id: "d", unread: 9, hidden: true })];
  assert.equal(unreadTotal({ conversations: new Map(all.map((one) => [one.id, one])) }), 3);
});

test("a message comes back from being hidden", () => {
  assert.equal(withMessage(conversation({ hidden: true }), message(6), "1").hidden, false);
});

test("an own message that a reaction was quicker than is shown as the last one", () => {
  come(6);
  apply(client, { event: "message.updated", conversation: "1", seq: 8, message: message(7, { sender: "1", reactions: [{}] }) });
  come(7, { sender: "1" });
  assert.deepEqual([now().last_message.seq, now().last_seq, now().unread, now().read_seq], [7, 8, 0, 7]);
  come(6);
  assert.equal(now().last_message.seq, 7);
});

test("a large group that moved is counted and filled in", () => {
  apply(client, { event: "head", conversation: "1", last_seq: 9 });
  assert.deepEqual(asked, [["want", "1", 9], ["moved", "1"]]);
});

test("a summary is taken as far as it is newer, and a conversation that is gone goes", () => {
  apply(client, { event: "conversation", conversation: "1", summary: conversation() });
  assert.equal(asked[0][0], "take");
  apply(client, { event: "conversation", conversation: "1", summary: undefined });
  assert.equal(now(), undefined);
});
