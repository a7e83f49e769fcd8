import assert from "node:assert/strict";
import test from "node:test";
import { rowsOf } from "../views/chats/message_rows.js";

const message = (seq, sender, client_id) => ({ seq, sender, client_id, time: "2026-05-01T10:00:00Z", segments: [{ type: "text", text: "x" }] });
const waiting = (client_id) => ({ client_id, conversation: "1", segments: [], created: 1, state: "queued" });

test("a message that is in the history already does not stand below it as waiting", () => {
  const window = { messages: [message(1, "7", "a"), message(2, "8", "b")], atStart: true };
  const rows = rowsOf(window, [waiting("a"), waiting("b"), waiting("c")], "7", null);
  assert.deepEqual(rows.map(({ kind, key }) => `${kind} ${key}`).slice(1), ["message ca", "message s2", "pending cb", "pending cc"]);
});
