import assert from "node:assert/strict";
import test from "node:test";
import { hindrance } from "../state/may_write.js";

const me = { id: "1" };
const direct = { kind: "direct", peer: { id: "2" } };
const group = { kind: "group", group: { id: "9" } };

function state(more) {
  return {
    me,
    server: { direct_messages: "friends" },
    blocks: new Set(),
    contacts: new Map(),
    contactsLoaded: true,
    requests: [],
    groups: new Map(),
    members: new Map(),
    ...more,
  };
}

const inGroup = (fields, own = {}) =>
  hindrance(state({ groups: new Map([["9", { id: "9", muted: false, role: "member", ...fields }]]), members: new Map([["9", [{ user: me, ...own }]]]) }), group);

test("contacts may write to each other", () => {
  assert.equal(hindrance(state({ contacts: new Map([["2", {}]]) }), direct), null);
});

test("others may not, unless the server lets everyone", () => {
  assert.equal(hindrance(state(), direct).reason, "not_friends");
  assert.equal(hindrance(state({ server: { direct_messages: "everyone" } }), direct), null);
});

test("an open request is told", () => {
  const request = { id: "5", direction: "outgoing", user: { id: "2" } };
  assert.equal(hindrance(state({ requests: [request] }), direct).request, request);
});

test("nobody writes to who is blocked", () => {
  const blocked = { blocks: new Set(["2"]), contacts: new Map([["2", {}]]) };
  assert.equal(hindrance(state(blocked), direct).reason, "blocked");
});

test("what is not known hinders nobody", () => {
  assert.equal(hindrance(state({ server: null }), direct), null);
  assert.equal(hindrance(state({ contactsLoaded: false }), direct), null);
  assert.equal(hindrance(state(), group), null);
});

test("a muted group hears its owner and admins only", () => {
  assert.equal(inGroup({ muted: true }).reason, "muted");
  assert.equal(inGroup({ muted: true, role: "admin" }), null);
  assert.equal(inGroup({}), null);
  assert.equal(inGroup({ role: undefined }).reason, "not_a_member");
});

test("a member may be muted for a time", () => {
  const until = new Date(Date.now() + 60_000).toISOString();
  assert.deepEqual(inGroup({}, { muted_until: until }), { reason: "muted_until", until });
  assert.equal(inGroup({}, { muted_until: new Date(Date.now() - 1).toISOString() }), null);
});
