/** @import { Conversation, Message, PendingMessage, State } from "../../types.js" */
import { describeCode, formatFull, formatTime, t } from "../../i18n/index.js";
import { nameOf, progressOf, userOf } from "../../state/conversations.js";
import { href } from "../../state/router.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { messageText } from "./message_text.js";
import { pendingUploads } from "./pending_uploads.js";
import { reactions } from "./reactions.js";
import { messageLine } from "./message_line.js";
import "../../ui/avatar.js";

/**
 * What is drawn around a message besides itself.
 * @typedef {object} MessageContext
 * @property {State} state
 * @property {Conversation | undefined} conversation
 * @property {boolean} first of a block of one sender
 * @property {boolean} last
 * @property {boolean} expanded
 * @property {Message | null | undefined} quoted what it answers; null if that is not there any more,
 *   undefined as long as it is not known
 */

/** @typedef {"sent" | "delivered" | "read" | "queued" | "sending" | "uploading"} Progress */

/** @type {Record<Progress, keyof typeof import("../../vendor/icons.js").icons>} */
const DRAWINGS = { uploading: "upload", queued: "clock", sending: "clock", sent: "check", delivered: "check-check", read: "check-check" };

/**
 * A message of the history. What can be done with it is told by `data-act` of its buttons.
 * @param {Message} message
 * @param {MessageContext} context
 */
export function messageBubble(message, context) {
  const { state, conversation, first, last } = context;
  const group = conversation?.group?.id;
  const own = message.sender === state.me?.id;
  const name = nameOf(state, message.sender, group);
  return html`<article
    class="message ${own ? "own" : ""} ${first ? "first" : ""} ${last ? "last" : ""}"
    data-seq=${message.seq}
    tabindex="-1"
    aria-keyshortcuts="Enter R F E"
    aria-label=${t("chat.message_label", { name: own ? t("lists.you") : name, time: formatTime(message.time), text: messageLine(state, message, group) })}
  >
    ${group && !own ? picture(state, message.sender, name, last) : nothing}
    <div class="message-main">
      ${group && !own && first ? html`<a class="message-name" href=${href("people", "user", message.sender)} tabindex="-1"><bdi>${name}</bdi></a>` : nothing}
      <div class="bubble">
        ${message.forwarded_from ? forwarded(state, message.forwarded_from, group) : nothing}
        ${message.reply_to === undefined ? nothing : quote(message.reply_to, context)}
        <div class="message-body" dir="auto">
          ${messageText(message, { state, groupId: group, expanded: context.expanded })}
          <span class="message-foot">
            ${message.edited_at ? html`<span title=${formatFull(message.edited_at)}>${t("chat.edited")}</span>` : nothing}
            <time datetime=${message.time} title=${formatFull(message.time)}>${formatTime(message.time)}</time>
            ${own && conversation ? tick(conversation.kind === "direct" ? progressOf(conversation, message) : "sent") : nothing}
          </span>
        </div>
      </div>
      ${message.reactions?.length ? reactions(message, state, group) : nothing}
    </div>
    <button class="icon-button message-more" data-act="menu" tabindex="-1" aria-haspopup="menu" aria-label=${t("chat.message_menu")}>
      ${icon("ellipsis-vertical")}
    </button>
  </article>`;
}

/**
 * A message that is not on the server yet.
 * @param {PendingMessage} pending
 * @param {MessageContext} context
 */
export function pendingBubble(pending, context) {
  const { state, conversation, first } = context;
  const failed = pending.state === "failed";
  const group = conversation?.group?.id;
  return html`<article
    class="message own last ${first ? "first" : ""} ${failed ? "failed" : ""}"
    data-client-id=${pending.client_id}
    tabindex="-1"
    aria-label=${t("chat.message_label", { name: t("lists.you"), time: formatTime(pending.created), text: messageLine(state, pending, group) })}
  >
    <div class="message-main">
      <div class="bubble">
        ${pending.forward ? html`<p class="message-from">${icon("forward")}${t("chat.forwarding")}</p>` : nothing}
        ${pending.reply_to === undefined ? nothing : quote(pending.reply_to, context)}
        <div class="message-body" dir="auto">
          ${pendingUploads(pending)}
          ${messageText(pending, { state, groupId: group, expanded: context.expanded })}
          <span class="message-foot">
            <time datetime=${new Date(pending.created).toISOString()}>${formatTime(pending.created)}</time>
            ${pending.state === "failed" ? nothing : tick(pending.state)}
          </span>
        </div>
      </div>
      ${failed
        ? html`<p class="message-failure" role="alert">
            ${icon("circle-alert")}<span>${t("chat.not_sent", { why: describeCode(pending.error?.code ?? "internal", pending.error?.detail) })}</span>
            <button class="link-button" data-act="retry">${t("action.retry")}</button>
            <button class="link-button" data-act="discard">${t("chat.discard")}</button>
          </p>`
        : nothing}
    </div>
  </article>`;
}

/** @param {State} state @param {string} sender @param {string} name @param {boolean} shown */
function picture(state, sender, name, shown) {
  // The name above links to the same place for those who do not point.
  return html`<span class="message-picture">
    ${shown
      ? html`<a href=${href("people", "user", sender)} tabindex="-1" aria-hidden="true"
          ><myim-avatar .name=${name} .number=${sender} .picture=${userOf(state, sender)?.avatar ?? ""} .size=${32}></myim-avatar
        ></a>`
      : nothing}
  </span>`;
}

/** @param {State} state @param {{user_id: string, nickname: string}} from @param {string} [group] */
function forwarded(state, { user_id, nickname }, group) {
  const name = userOf(state, user_id) ? nameOf(state, user_id, group) : nickname || user_id;
  return html`<p class="message-from">${icon("forward")}<bdi>${t("chat.forwarded_from", { name })}</bdi></p>`;
}

/** @param {number} seq @param {MessageContext} context */
function quote(seq, { state, conversation, quoted }) {
  if (!quoted) return html`<p class="quote gone">${t(quoted === null ? "chat.quote_gone" : "app.loading")}</p>`;
  const group = conversation?.group?.id;
  const name = quoted.sender === state.me?.id ? t("lists.you") : nameOf(state, quoted.sender, group);
  return html`<button class="quote" data-act="quote" data-to=${seq} aria-label=${t("chat.quote", { name, text: messageLine(state, quoted, group) })}>
    <bdi class="quote-name">${name}</bdi>
    <bdi class="quote-text">${messageLine(state, quoted, group)}</bdi>
  </button>`;
}

/** How far an own message got. @param {Progress} progress */
function tick(progress) {
  return html`<span class="tick ${progress}" role="img" aria-label=${t(`chat.state.${progress}`)} title=${t(`chat.state.${progress}`)}
    >${icon(DRAWINGS[progress])}</span
  >`;
}
