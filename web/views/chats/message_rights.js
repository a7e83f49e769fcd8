/** @import { Conversation, Message, State } from "../../types.js" */

/** What an editor of text can hold. */
const EDITABLE = new Set(["text", "mention", "face"]);

/** Whether one's own text can still be changed. @param {State} state @param {Message} message */
export function mayEdit(state, message) {
  return (
    message.sender === state.me?.id &&
    !message.recalled_at &&
    !message.forwarded_from &&
    message.segments.length > 0 &&
    message.segments.every(({ type }) => EDITABLE.has(type)) &&
    within(message, state.server?.limits.edit_within_s ?? 86_400)
  );
}

/**
 * Whether one may take a message back: an own one for a while, and as an admin of a group any.
 * @param {State} state @param {Conversation} conversation @param {Message} message
 */
export function mayRecall(state, conversation, message) {
  if (message.recalled_at || message.notice) return false;
  const role = state.groups.get(conversation.group?.id ?? "")?.role;
  if (role === "owner" || role === "admin") return true;
  return message.sender === state.me?.id && within(message, state.server?.limits.recall_within_s ?? 120);
}

/** @param {Message} message @param {number} seconds */
function within({ time }, seconds) {
  return Date.now() - Date.parse(time) < seconds * 1000;
}
