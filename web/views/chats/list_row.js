/** @import { Conversation, Message, State } from "../../types.js" */
/** @import { Row } from "./message_rows.js" */
/** @import { Quotes } from "./quotes.js" */
import { currentLanguage, formatDay, t } from "../../i18n/index.js";
import { guard, html } from "../../vendor/lit.js";
import { messageBubble, pendingBubble } from "./message.js";
import { noticeLine } from "./notice_line.js";

/**
 * What rows are drawn from.
 * @typedef {object} ListContext
 * @property {State} state
 * @property {Conversation | undefined} conversation
 * @property {Message[]} messages what is loaded of the history
 * @property {Quotes} quotes
 * @property {Set<number | string>} expanded long messages that are shown whole, by place, or by name
 *   while they have none
 */

/**
 * Draws the rows of a conversation. A message is drawn anew only if it, or who is named in it, changed:
 * there are hundreds.
 * @param {ListContext} context
 * @returns {(row: Row) => unknown}
 */
export function rowDrawer({ state, conversation, messages, quotes, expanded }) {
  const { users, contacts, me } = state;
  const group = conversation?.group?.id;
  const members = state.members.get(group ?? "");
  const language = currentLanguage();
  return (row) => {
    if (row.kind === "day") return separator("day", formatDay(row.time));
    if (row.kind === "unread") return separator("unread-mark", t("chat.new_messages"));
    if (row.kind === "notice") return noticeLine(row.message, state, group);
    const message = row.kind === "message" ? row.message : row.pending;
    const last = row.kind === "pending" || row.last;
    const whole = expanded.has("seq" in message ? message.seq : message.client_id);
    const quoted = quotes.find(conversation?.id ?? "", message.reply_to, messages);
    const context = { state, conversation, first: row.first, last, expanded: whole, quoted };
    const progress = row.kind === "message" && row.message.sender === me?.id ? progressMark(conversation, row.message) : 0;
    return guard([message, row.first, last, whole, quoted, progress, users, contacts, members, me, language], () =>
      row.kind === "message" ? messageBubble(row.message, context) : pendingBubble(row.pending, context),
    );
  };
}

/** @param {string} kind @param {string} text */
function separator(kind, text) {
  return html`<div class=${kind} role="separator" aria-label=${text}><span>${text}</span></div>`;
}

/** What changes how an own message's progress is drawn. @param {Conversation | undefined} conversation @param {Message} message */
function progressMark(conversation, { seq }) {
  if (!conversation) return -1;
  const { peer_read_seq = 0, peer_delivered_seq = 0 } = conversation;
  return seq <= peer_read_seq ? 2 : seq <= peer_delivered_seq ? 1 : 0;
}
