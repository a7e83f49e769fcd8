/** @import { Message, State } from "../../types.js" */
import { formatFull, formatTime, t } from "../../i18n/index.js";
import { nameOf } from "../../state/conversations.js";
import { html } from "../../vendor/lit.js";
import { noticeText } from "./notice_text.js";

/**
 * What is a line in the middle and no bubble: what happened in the group, a message that was taken
 * back, a nudge.
 * @param {Message} message
 * @param {State} state
 * @param {string} [groupId]
 */
export function noticeLine(message, state, groupId) {
  return html`<p class="notice-line" data-seq=${message.seq} tabindex="-1">
    <bdi>${sentence(message, state, groupId)}</bdi>
    <time class="notice-time" datetime=${message.time} title=${formatFull(message.time)}>${formatTime(message.time)}</time>
  </p>`;
}

/** @param {Message} message @param {State} state @param {string} [groupId] */
function sentence(message, state, groupId) {
  if (message.notice) return noticeText(state, message, groupId);
  const own = message.sender === state.me?.id;
  const what = message.recalled_at ? "recalled" : "nudged";
  return own ? t(`chat.you_${what}`) : t(`chat.${what}`, { name: nameOf(state, message.sender, groupId) });
}
