/** @import { Message, State } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { nameOf } from "../../state/conversations.js";
import { fromSegments } from "../../state/marked_text.js";
import { face } from "../../ui/faces.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { messageLine } from "./message_line.js";

/**
 * Above the field: which message is answered or changed, and the button that ends that.
 * @param {State} state
 * @param {{conversationId: string, groupId?: string, editing: Message | null, replyTo?: number, stopEditing: () => void, stopReplying: () => void}} options
 */
export function composerBar(state, { conversationId, groupId, editing, replyTo, stopEditing, stopReplying }) {
  if (editing) return bar("pencil", t("compose.editing"), messageLine(state, editing, groupId), t("compose.stop_editing"), stopEditing);
  if (replyTo === undefined) return nothing;
  const message = state.windows.get(conversationId)?.messages.find(({ seq }) => seq === replyTo);
  const name = message ? nameOf(state, message.sender, groupId) : "";
  const line = message ? messageLine(state, message, groupId) : "…";
  return bar("reply", t("compose.replying", { name }), line, t("compose.stop_replying"), stopReplying);
}

/** @param {"pencil" | "reply"} drawing @param {string} title @param {string} line @param {string} label @param {() => void} cancel */
function bar(drawing, title, line, label, cancel) {
  return html`<div class="reply-bar">
    ${icon(drawing)}
    <div class="reply-bar-text">
      <strong class="ellipsis"><bdi>${title}</bdi></strong>
      <span class="ellipsis muted" dir="auto">${line}</span>
    </div>
    <button type="button" class="icon-button" aria-label=${label} title=${label} @click=${cancel}>${icon("x")}</button>
  </div>`;
}

/** A message as a text that can be changed. @param {State} state @param {Message} message @param {string} [groupId] */
export function editable(state, { segments }, groupId) {
  return fromSegments(segments, (segment) => {
    if (segment.type === "face") return face(segment.id);
    if (segment.type !== "mention") return null;
    return `@${segment.user_id === "all" ? t("line.all") : nameOf(state, segment.user_id, groupId)}`;
  });
}
