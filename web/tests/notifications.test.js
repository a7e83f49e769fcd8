import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { Notifications } from "../state/notifications.js";
import { Store } from "../state/store.js";

let store;
let told;
let hear;
let watched;
let leads;
let seq;

const text = (more = {}) => ({ conversation: "1", seq: (seq += 1), sender: "2", segments: [{ type: "text", text: "hi" }], ...more });
const come = (message = text(), leads = true) => hear({ event: "message", message }, leads);
const conversation = (more) => store.put("conversations", "1", { id: "1", kind: "direct", notify: "all", read_seq: 0, unread: 1, mentions: 0, ...more });
const prefer = (more) => store.set({ preferences: { ...store.state.preferences, ...more } });

beforeEach(async () => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  seq = 0;
  watched = false;
  leads = true;
  told = { shown: [], closed: [], sounds: 0, badges: [] };
  store = new Store({ link: "connecting", conversations: new Map(), conversationsLoaded: true, preferences: { notifications: true, sound: true, quietUntil: 0 } });
  const client = {
    store,
    account: { user_id: "1" },
    link: { isWatched: () => watched, get leads() { return leads; } },
    onEvent: (listener) => ((hear = listener), () => {}),
  };
  new Notifications(client, {
    show: ({ address }) => told.shown.push(address),
    close: (tag) => told.closed.push(tag),
    sound: () => (told.sounds += 1),
    badge: (unread) => told.badges.push(unread),
  });
  conversation();
  store.set({ link: "online" });
  await Promise.resolve();
  mock.timers.tick(4000);
});

test("a message of somebody else is shown, and sounds", () => {
  come();
  assert.deepEqual(told.shown, ["#/chats/1"]);
  assert.equal(told.sounds, 1);
});

test("only the tab that holds the connection tells", () => {
  come(text(), false);
  assert.deepEqual(told.shown, []);
});

test("nothing is told of own messages, notices, what was taken back, read or told before", () => {
  come(text({ sender: "1" }));
  come(text({ notice: { type: "member_left" } }));
  come(text({ recalled_at: "now" }));
  conversation({ read_seq: 9 });
  come(text());
  assert.deepEqual(told.shown, []);
  conversation();
  come(text({ seq: 20 }));
  come(text({ seq: 20 }));
  assert.equal(told.shown.length, 1);
});

test("who looks at the conversation needs no notification", () => {
  watched = true;
  come();
  assert.deepEqual(told.shown, []);
  assert.equal(told.sounds, 0);
});

test("a conversation says what is wanted of it", () => {
  conversation({ notify: "nothing" });
  come();
  conversation({ notify: "mentions" });
  come();
  assert.deepEqual(told.shown, []);
  come(text({ segments: [{ type: "mention", user_id: "1" }] }));
  come(text({ segments: [{ type: "mention", user_id: "all" }] }));
  assert.equal(told.shown.length, 2);
});

test("do not disturb, and what is switched off", () => {
  prefer({ quietUntil: Date.now() + 1 });
  come();
  prefer({ quietUntil: 0, sound: false });
  come();
  assert.equal(told.shown.length, 1);
  assert.equal(told.sounds, 0);
  prefer({ sound: true, notifications: false });
  come();
  assert.equal(told.shown.length, 1);
  assert.equal(told.sounds, 1);
});

test("messages in a row sound once", () => {
  come();
  come();
  mock.timers.tick(2000);
  come();
  assert.equal(told.sounds, 2);
});

test("what was written before the page began stands in the lists and is not told", () => {
  mock.timers.setTime(1_001_000);
  come();
  assert.deepEqual(told.shown, []);
});

test("what was missed while the connection was broken is told", () => {
  store.set({ link: "offline" });
  mock.timers.tick(60_000);
  store.set({ link: "online" });
  come();
  assert.equal(told.shown.length, 1);
});

test("a contact request is told", () => {
  hear({ event: "contact.requested", seq: 4, request_id: "8", user_id: "5", username: "eve", note: "" }, true);
  assert.deepEqual(told.shown, ["#/people/requests"]);
});

test("a notification goes when the conversation was read", async () => {
  come();
  conversation({ unread: 0 });
  await Promise.resolve();
  assert.deepEqual(told.closed, ["1"]);
});

test("the badge counts what is unread", async () => {
  conversation({ unread: 3 });
  await Promise.resolve();
  assert.equal(told.badges.at(-1), 3);
});

/** The list or one conversation was loaded, as after a large group said that it moved. */
const load = async (more) => {
  conversation({ kind: "group", ...more });
  await Promise.resolve();
};

test("what a large group counts without telling it is told", async () => {
  await load({ unread: 3, last_message: text() });
  assert.deepEqual(told.shown, ["#/chats/1"]);
  assert.equal(told.sounds, 1);
  await load({ unread: 3 });
  await load({ unread: 1 });
  assert.equal(told.shown.length, 1);
});

test("what was told by itself is not told again by its count", async () => {
  const message = text();
  conversation({ unread: 2, last_message: message });
  come(message);
  await Promise.resolve();
  assert.equal(told.shown.length, 1);
});

test("a count that rises is told as the conversation wants it", async () => {
  await load({ unread: 2, notify: "nothing", last_message: text() });
  await load({ unread: 3, notify: "mentions", last_message: text() });
  assert.deepEqual(told.shown, []);
  await load({ unread: 4, mentions: 1, notify: "mentions", last_message: text() });
  assert.equal(told.shown.length, 1);
});

test("a count that rises is told by one tab, where nobody looks, and not of a page that begins", async () => {
  watched = true;
  await load({ unread: 2, last_message: text() });
  watched = false;
  leads = false;
  await load({ unread: 3, last_message: text() });
  leads = true;
  store.set({ conversations: new Map() });
  await Promise.resolve();
  await load({ unread: 4, last_message: text() });
  assert.deepEqual(told.shown, []);
  mock.timers.setTime(1_001_000);
  await load({ unread: 5, last_message: text() });
  assert.deepEqual(told.shown, []);
});

test("another history begins to count anew", async () => {
  come(text({ seq: 20 }));
  store.set({ conversations: new Map(), conversationsLoaded: false });
  await Promise.resolve();
  conversation();
  store.set({ conversationsLoaded: true });
  come(text({ seq: 4 }));
  assert.equal(told.shown.length, 2);
});
