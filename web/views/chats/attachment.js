/** @import { Message, PendingMessage, Segment } from "../../types.js" */
import { html } from "../../vendor/lit.js";
import { voiceOf } from "../../ui/file_kind.js";
import "./file_card.js";
import "./media_player.js";
import "./picture.js";
import "./voice_player.js";

/**
 * A file or a picture in a message.
 * @param {Extract<Segment, {type: "image" | "file"}>} segment
 * @param {Message | PendingMessage} message
 */
export function attachment(segment, message) {
  if (segment.type === "image") {
    return html`<myim-picture .segment=${segment} .conversationId=${message.conversation}></myim-picture>`;
  }
  // What the server found in the bytes; whatever else the file is called, it is played by nothing.
  const plays = /^(audio|video)\//.test(segment.mime);
  if (plays && voiceOf(segment.name)) return html`<myim-voice .segment=${segment}></myim-voice>`;
  if (plays) return html`<myim-media .segment=${segment}></myim-media>`;
  return html`<myim-file-card .segment=${segment}></myim-file-card>`;
}

/**
 * Pictures that stand beside each other.
 * @param {Extract<Segment, {type: "image"}>[]} segments
 * @param {Message | PendingMessage} message
 */
export function pictures(segments, message) {
  const columns = segments.length === 2 || segments.length === 4 ? "two" : "three";
  return html`<div class="picture-grid ${columns}">${segments.map((segment) => attachment(segment, message))}</div>`;
}
