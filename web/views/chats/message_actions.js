/** @import { Message } from "../../types.js" */
/** @import { MessageList } from "./message_list.js" */
import { app } from "../../state/app.js";
import { attempt } from "../../ui/attempt.js";
import { openPart } from "../../ui/open_part.js";
import { emojiPicker } from "../parts.js";
import { edit, forward, openMessageMenu, reply } from "./message_menu.js";
import { mayEdit } from "./message_rights.js";

/**
 * What somebody pressed in a message.
 * @param {MessageList} list
 * @param {Event} event
 */
export function messageAction(list, event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const row = /** @type {HTMLElement | null} */ (target.closest("[data-seq], [data-client-id]"));
  if (!row) return;
  const button = /** @type {HTMLElement | null} */ (target.closest("[data-act]"));
  if (!button) return;
  const { act, emoji = "", to = "0" } = button.dataset;
  if (act === "quote") return void list.show(Number(to), { focus: true });
  if (act === "expand") return list.expand(row);
  const { clientId } = row.dataset;
  if (act === "retry" && clientId) return void app.client?.outbox.retry(list.conversationId, clientId);
  if (act === "discard" && clientId) return void app.client?.outbox.discard(list.conversationId, clientId);
  const message = messageOf(list, row);
  if (!message) return;
  if (act === "menu") openMessageMenu(button, list, row, message);
  if (act === "react") void attempt(async () => app.client?.react(message, emoji));
  if (act === "react-more") void reactWithAny(button, message);
}

/**
 * Keys while a message has the focus.
 * @param {MessageList} list
 * @param {KeyboardEvent} event
 */
export function messageKey(list, event) {
  const row = /** @type {HTMLElement} */ (event.target);
  if (event.key === "Escape") return void list.dispatchEvent(new CustomEvent("write", { bubbles: true }));
  if (!row.dataset.seq || event.ctrlKey || event.metaKey || event.altKey) return;
  const message = messageOf(list, row);
  if (!message || message.notice || message.recalled_at) return;
  const key = event.key.toLowerCase();
  if (key === "enter") openMessageMenu(row, list, row, message);
  else if (key === "r") reply(list, message);
  else if (key === "f") forward(message);
  else if (key === "e" && mayEdit(app.store.state, message)) edit(list, message);
  else return;
  event.preventDefault();
}

/** @param {HTMLElement} anchor @param {Message} message */
export async function reactWithAny(anchor, message) {
  const chosen = await (await openPart(emojiPicker))?.openEmojiPicker(anchor);
  if (chosen) await attempt(async () => app.client?.react(message, chosen.sign));
}

/**
 * Somebody asked what can be done with a message.
 * @param {MessageList} list
 * @param {Element} target
 * @param {{x: number, y: number}} at
 * @param {boolean} touch
 * @returns {boolean} whether a menu opened
 */
export function messageAsked(list, target, at, touch) {
  const row = /** @type {HTMLElement | null} */ (target.closest("[data-seq]"));
  if (!row) return false;
  // Links and marked text have a menu of the browser's own, which can do what ours cannot.
  const marked = getSelection();
  if (!touch && (target.closest("a[target], img, video") || (marked?.toString() && marked.containsNode(target, true)))) return false;
  const message = messageOf(list, row);
  if (!message || message.notice || message.recalled_at) return false;
  // The menu key has no place of its own.
  openMessageMenu(at.x || at.y ? at : row, list, row, message);
  return true;
}

/** @param {MessageList} list @param {HTMLElement} row */
function messageOf(list, row) {
  const seq = Number(row.dataset.seq);
  return app.store.state.windows.get(list.conversationId)?.messages.find((message) => message.seq === seq);
}
