/** @import { Message, PendingMessage, Segment, State } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { nameOf } from "../../state/conversations.js";
import { href } from "../../state/router.js";
import { face } from "../../ui/faces.js";
import { icon } from "../../ui/icon.js";
import { linked } from "../../ui/links.js";
import { html, nothing } from "../../vendor/lit.js";
import { attachment, pictures } from "./attachment.js";

/** What is longer is shown in part at first. */
const CHARS_SHOWN = 1_500;
const LINES_SHOWN = 30;
/** A text that is hardly longer than that is shown as it is. */
const CHARS_SPARE = 500;
const LINES_SPARE = 10;

const EMOJI = String.raw`(?:\p{RI}\p{RI}|(?:\p{Emoji_Presentation}|\p{Extended_Pictographic})[\p{EMod}\uFE0F]*(?:\u200D\p{Extended_Pictographic}[\p{EMod}\uFE0F]*)*)`;
const FEW_EMOJI = new RegExp(`^\\s*(?:${EMOJI}\\s*){1,3}$`, "u");

/**
 * @typedef {object} TextContext
 * @property {State} state
 * @property {string} [groupId]
 * @property {boolean} expanded a long text is shown whole
 */

/**
 * What a message says. Text, faces and mentions run on as one text; what else there is stands between.
 * @param {Message | PendingMessage} message
 * @param {TextContext} context
 */
export function messageText(message, context) {
  /** @type {unknown[]} */
  const blocks = [];
  /** @type {unknown[]} */
  let line = [];
  const end = () => {
    if (line.length) blocks.push(html`<span class=${big ? "message-text big" : "message-text"}>${line}</span>`);
    line = [];
  };
  const big = isFewEmoji(message.segments);
  const { segments, cut } = context.expanded ? { segments: message.segments, cut: false } : shorten(message.segments);
  for (let at = 0; at < segments.length; at += 1) {
    const segment = /** @type {Segment} */ (segments[at]);
    const inline = inlinePart(segment, context);
    if (inline !== null) {
      line.push(inline);
      continue;
    }
    end();
    const group = picturesFrom(segments, at);
    if (group.length > 1) {
      blocks.push(pictures(group, message));
      at += group.length - 1;
    } else {
      blocks.push(block(segment, message));
    }
  }
  end();
  return html`${blocks}${cut ? html`<button class="link-button message-all" data-act="expand">${t("chat.show_all")}</button>` : nothing}`;
}

/** Pictures that follow each other are shown as one block. @param {Segment[]} segments @param {number} start */
function picturesFrom(segments, start) {
  let end = start;
  while (segments[end]?.type === "image") end += 1;
  return /** @type {Extract<Segment, {type: "image"}>[]} */ (segments.slice(start, end));
}

/** @param {Segment} segment @param {TextContext} context @returns {unknown} null for what is no text */
function inlinePart(segment, { state, groupId }) {
  if (segment.type === "text") return linked(segment.text);
  if (segment.type === "face") return face(segment.id);
  if (segment.type !== "mention") return null;
  if (segment.user_id === "all") return html`<span class="mention me">@${t("line.all")}</span>`;
  const me = segment.user_id === state.me?.id;
  return html`<a class="mention ${me ? "me" : ""}" href=${href("people", "user", segment.user_id)}
    ><bdi>@${nameOf(state, segment.user_id, groupId)}</bdi></a
  >`;
}

/** @param {Segment} segment @param {Message | PendingMessage} message */
function block(segment, message) {
  if (segment.type === "image" || segment.type === "file") return attachment(segment, message);
  if (segment.type === "nudge") return html`<p class="message-odd">${icon("vibrate")}${t("chat.nudge")}</p>`;
  return html`<p class="message-odd">${icon("info")}${t("chat.unknown")}</p>`;
}

/** One to three emoji and nothing else are drawn large. @param {Segment[]} segments */
function isFewEmoji(segments) {
  let text = "";
  for (const segment of segments) {
    if (segment.type === "text") text += segment.text;
    else if (segment.type === "face") text += face(segment.id);
    else return false;
    if (text.length > 60) return false;
  }
  return FEW_EMOJI.test(text);
}

/** @param {Segment[]} segments @returns {{segments: Segment[], cut: boolean}} */
function shorten(segments) {
  let chars = 0;
  let lines = 0;
  for (const segment of segments) {
    if (segment.type !== "text") continue;
    chars += segment.text.length;
    lines += segment.text.split("\n").length - 1;
  }
  if (chars <= CHARS_SHOWN + CHARS_SPARE && lines <= LINES_SHOWN + LINES_SPARE) return { segments, cut: false };
  let left = CHARS_SHOWN;
  let linesLeft = LINES_SHOWN;
  /** @type {Segment[]} */
  const kept = [];
  for (const segment of segments) {
    if (segment.type !== "text") {
      if (left > 0 && linesLeft > 0) kept.push(segment);
      continue;
    }
    const rows = segment.text.slice(0, Math.max(0, left)).split("\n").slice(0, Math.max(0, linesLeft));
    const text = rows.join("\n");
    left -= segment.text.length;
    linesLeft -= rows.length - 1 || Number(text.length < segment.text.length);
    if (text) kept.push({ type: "text", text: text.length < segment.text.length ? `${whole(text)}…` : text });
  }
  return { segments: kept, cut: true };
}

/** Without half of a character at the end. @param {string} text */
function whole(text) {
  return text.replace(/[\uD800-\uDBFF]$/, "");
}
