/** @import { Conversation, Message, PendingMessage, Segment, State } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { nameOf } from "../../state/conversations.js";
import { face, isKnownFace } from "../../ui/faces.js";
import { voiceOf } from "../../ui/file_kind.js";
import { noticeText } from "./notice_text.js";

/** More than a line can show. */
const CHARS_MAX = 200;

/**
 * The last message of a conversation as one line.
 * @param {State} state
 * @param {Conversation} conversation
 * @returns {{before: string, text: string}} `before` says who wrote it, where that is not clear
 */
export function lastLine(state, conversation) {
  const message = conversation.last_message;
  if (!message) return { before: "", text: "" };
  const group = conversation.group?.id;
  if (message.notice) return { before: "", text: noticeText(state, message, group) };
  const own = message.sender === state.me?.id;
  const before = own ? t("lists.you") : group ? nameOf(state, message.sender, group) : "";
  return { before, text: messageLine(state, message, group) };
}

/**
 * A message as one line: what is not text is named.
 * @param {State} state
 * @param {Message | PendingMessage} message
 * @param {string} [groupId]
 */
export function messageLine(state, message, groupId) {
  if ("recalled_at" in message && message.recalled_at) return t("line.recalled");
  const text = message.segments.map((segment) => segmentLine(state, segment, groupId)).join("");
  return text.slice(0, CHARS_MAX).replace(/\s+/g, " ").trim();
}

/** @param {State} state @param {Segment} segment @param {string} [groupId] */
function segmentLine(state, segment, groupId) {
  switch (segment.type) {
    case "text":
      return segment.text;
    case "image":
      return `${t("line.picture")} `;
    case "file":
      return `${voiceOf(segment.name) ? t("line.voice") : t("line.file", { name: segment.name })} `;
    case "face":
      return isKnownFace(segment.id) ? face(segment.id) : t("line.face");
    case "nudge":
      return t("line.nudge");
    case "mention":
      return `@${segment.user_id === "all" ? t("line.all") : nameOf(state, segment.user_id, groupId)} `;
    default:
      return t("line.unknown");
  }
}
