/** @import { Message, State } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { nameOf } from "../../state/conversations.js";
import { icon } from "../../ui/icon.js";
import { html } from "../../vendor/lit.js";
import { messageLine } from "./summary.js";

/**
 * Above the field: which message is answered or changed, and the button that ends that.
 * @param {State} state
 * @param {{kind: "reply" | "edit", message: Message | undefined, groupId?: string, cancel: () => void}} bar
 */
export function replyBar(state, { kind, message, groupId, cancel }) {
  const name = message ? nameOf(state, message.sender, groupId) : "";
  return html`<div class="reply-bar">
    ${icon(kind === "reply" ? "reply" : "pencil")}
    <div class="reply-bar-text">
      <strong>${kind === "edit" ? t("compose.editing") : t("compose.replying", { name })}</strong>
      <span class="ellipsis muted" dir="auto">${message ? messageLine(state, message, groupId) : "…"}</span>
    </div>
    <button class="icon-button" aria-label=${t(kind === "edit" ? "compose.stop_editing" : "compose.stop_replying")} @click=${cancel}>
      ${icon("x")}
    </button>
  </div>`;
}
