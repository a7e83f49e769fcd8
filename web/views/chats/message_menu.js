/** @import { Message } from "../../types.js" */
/** @import { MessageList } from "./message_list.js" */
import { t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { nameOf } from "../../state/conversations.js";
import { attempt } from "../../ui/attempt.js";
import { copyText } from "../../ui/clipboard.js";
import { confirm } from "../../ui/dialog.js";
import { face } from "../../ui/faces.js";
import { openMenu } from "../../ui/menu.js";
import { openPart } from "../../ui/open_part.js";
import { toast } from "../../ui/toast.js";
import { forwardDialog } from "../parts.js";
import { reactWithAny } from "./message_actions.js";
import { mayEdit, mayRecall } from "./message_rights.js";
import { QUICK_REACTIONS } from "./reactions.js";
import { openReadersDialog } from "./readers_dialog.js";

/**
 * What can be done with a message.
 * @param {HTMLElement | {x: number, y: number}} at
 * @param {MessageList} list
 * @param {HTMLElement} row
 * @param {Message} message
 */
export function openMessageMenu(at, list, row, message) {
  const { state } = app.store;
  const conversation = state.conversations.get(message.conversation);
  if (!conversation) return;
  const react = (/** @type {string} */ emoji) => void attempt(async () => app.client?.react(message, emoji));
  const quick = QUICK_REACTIONS.map((emoji) => ({ label: t("chat.react_with", { emoji }), text: emoji, run: () => react(emoji) }));
  const text = textOf(message);
  openMenu(
    at,
    t("chat.message_menu"),
    [
      { label: t("chat.reply"), icon: "reply", run: () => reply(list, message) },
      { label: t("chat.react"), icon: "smile", run: () => void reactWithAny(row, message) },
      text !== "" && { label: t("chat.copy"), icon: "copy", run: () => void copy(text) },
      { label: t("chat.forward"), icon: "forward", run: () => forward(message) },
      mayEdit(state, message) && { label: t("action.edit"), icon: "pencil", run: () => edit(list, message) },
      conversation.kind === "group" && { label: t("chat.readers"), icon: "eye", run: () => openReadersDialog(message) },
      mayRecall(state, conversation, message) && { label: t("chat.recall"), icon: "undo-2", danger: true, run: () => void recall(message) },
    ],
    quick,
  );
}

/** The next message answers this one. @param {MessageList} list @param {Message} message */
export function reply(list, { conversation, seq }) {
  const draft = app.store.state.drafts.get(conversation) ?? { text: "" };
  app.client?.drafts.keep(conversation, { ...draft, reply_to: seq });
  list.dispatchEvent(new CustomEvent("write", { bubbles: true }));
}

/** @param {MessageList} list @param {Message} message */
export function edit(list, message) {
  list.dispatchEvent(new CustomEvent("edit-message", { bubbles: true, detail: message }));
}

/** @param {Message} message */
export async function forward(message) {
  await (await openPart(forwardDialog))?.openForwardDialog(message);
}

/** @param {Message} message */
async function recall(message) {
  const sure = await confirm({ title: t("chat.recall_title"), text: t("chat.recall_text"), action: t("chat.recall"), danger: true });
  if (sure) await attempt(async () => app.client?.recall(message));
}

/** @param {string} text */
async function copy(text) {
  const copied = await copyText(text);
  toast(t(copied ? "chat.copied" : "chat.not_copied"), copied ? "info" : "error");
}

/** What of a message is text. @param {Message} message */
function textOf(message) {
  const { state } = app.store;
  const group = state.conversations.get(message.conversation)?.group?.id;
  const parts = message.segments.map((segment) => {
    if (segment.type === "text") return segment.text;
    if (segment.type === "face") return face(segment.id);
    if (segment.type !== "mention") return "";
    return `@${segment.user_id === "all" ? t("line.all") : nameOf(state, segment.user_id, group)}`;
  });
  return parts.join("");
}
