/** @import { WrittenText } from "./written_text.js" */
import { app } from "../../state/app.js";
import { isPicture } from "../../state/uploads.js";
import { openPart } from "../../ui/open_part.js";
import { attachDialog } from "../parts.js";

/**
 * Shows files before they are sent, and sends them if that is wanted.
 * @param {string} conversationId
 * @param {File[]} files
 * @param {WrittenText} written becomes what is said of them
 * @param {number | undefined} replyTo
 * @returns {Promise<boolean>} whether they are on their way
 */
export async function sendFiles(conversationId, files, { text, marks }, replyTo) {
  const limits = app.store.state.server?.limits ?? {};
  const dialog = await openPart(attachDialog);
  const chosen = await dialog?.openAttachDialog(files, { text, marks }, limits);
  if (!chosen) return false;
  const picked = chosen.files.map((file) => ({ file, name: file.name, picture: !chosen.asFiles && isPicture(file, limits) }));
  void app.client?.uploads.send(conversationId, picked, chosen.caption, replyTo);
  return true;
}

/** Files of the clipboard. @param {ClipboardEvent} event @returns {File[]} */
export function pastedFiles({ clipboardData }) {
  // A copied table or text comes as a picture too: then it is the text that is meant.
  return clipboardData?.types.includes("text/plain") ? [] : [...(clipboardData?.files ?? [])];
}

/** Files that were chosen, so that the same can be chosen again. @param {Event} event @returns {File[]} */
export function pickedFiles(event) {
  const input = /** @type {HTMLInputElement} */ (event.target);
  const files = [...(input.files ?? [])];
  input.value = "";
  return files;
}
