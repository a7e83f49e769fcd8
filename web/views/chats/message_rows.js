/** @import { Message, PendingMessage } from "../../types.js" */

/** Messages of one person that follow within this are drawn as one block. */
const TOGETHER_MS = 5 * 60_000;

/**
 * @typedef {object} MessageRow
 * @property {"message"} kind
 * @property {string} key
 * @property {Message} message
 * @property {boolean} first of a block: the name stands above it
 * @property {boolean} last of a block: the picture stands beside it
 */

/**
 * @typedef {MessageRow
 *   | {kind: "day", key: string, time: string}
 *   | {kind: "unread", key: string}
 *   | {kind: "notice", key: string, message: Message}
 *   | {kind: "pending", key: string, pending: PendingMessage, first: boolean}} Row
 */

/**
 * What stands below each other in a conversation.
 * @param {{messages: Message[], atStart: boolean}} window
 * @param {PendingMessage[]} pending
 * @param {string} me
 * @param {number | null} unreadFrom what the user has read when the conversation was opened; null
 *   for everything
 * @returns {Row[]}
 */
export function rowsOf({ messages, atStart }, pending, me, unreadFrom) {
  /** @type {Row[]} */
  const rows = [];
  let day = "";
  // Where the new ones begin is not seen if all that is loaded is new.
  let marked = unreadFrom === null || (!atStart && (messages[0]?.seq ?? 0) > unreadFrom);
  /** @type {MessageRow | null} */
  let before = null;
  for (const message of messages) {
    const today = new Date(message.time).toDateString();
    if (today !== day) {
      day = today;
      before = null;
      rows.push({ kind: "day", key: `d${today}`, time: message.time });
    }
    if (!marked && message.seq > (unreadFrom ?? 0) && message.sender !== me) {
      marked = true;
      before = null;
      rows.push({ kind: "unread", key: "unread" });
    }
    if (isNotice(message)) {
      before = null;
      rows.push({ kind: "notice", key: keyOf(message, me), message });
      continue;
    }
    /** @type {boolean} */
    const first = !before || !together(before.message, message);
    if (before && !first) before.last = false;
    before = { kind: "message", key: keyOf(message, me), message, first, last: true };
    rows.push(before);
  }
  for (const one of notIn(messages, pending, me)) {
    const first = before?.message.sender !== me;
    if (before && !first) before.last = false;
    before = null;
    rows.push({ kind: "pending", key: `c${one.client_id}`, pending: one, first });
  }
  return rows;
}

/**
 * What the history does not have yet: it may know of a message before its sender here does.
 * @param {Message[]} messages @param {PendingMessage[]} pending @param {string} me
 */
function notIn(messages, pending, me) {
  if (pending.length === 0) return pending;
  const own = new Set(messages.map((message) => (message.sender === me ? message.client_id : "")));
  return pending.filter(({ client_id }) => !own.has(client_id));
}

/** What is drawn as a line in the middle. @param {Message} message */
function isNotice({ notice, recalled_at, segments }) {
  return Boolean(notice || recalled_at) || (segments.length > 0 && segments.every(({ type }) => type === "nudge"));
}

/**
 * A message of one's own keeps its place in the page when it becomes one of the history.
 * @param {Message} message @param {string} me
 */
function keyOf({ sender, client_id, seq }, me) {
  return sender === me && client_id ? `c${client_id}` : `s${seq}`;
}

/** @param {Message} a @param {Message} b */
function together(a, b) {
  return a.sender === b.sender && Date.parse(b.time) - Date.parse(a.time) < TOGETHER_MS;
}
