/** @import { Contact, User } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { contactName } from "../../state/matching.js";
import { go, href } from "../../state/router.js";
import { attempt } from "../../ui/attempt.js";
import { choose } from "../../ui/choose.js";
import { ask, confirm } from "../../ui/dialog.js";
import { openMenu } from "../../ui/menu.js";
import { openChatWith } from "../chats/open_chat.js";

/** What the server calls the list that everybody has. */
const DEFAULT_LIST = "My Friends";
/** The API takes so much, in bytes of UTF-8. */
const NOTE_BYTES_MAX = 255;

/** The name of a contact list, for people. @param {string} name */
export function listName(name) {
  return isDefaultList(name) ? t("people.default_list") : name;
}

/** @param {string} name */
export function isDefaultList(name) {
  return name === DEFAULT_LIST;
}

/**
 * What can be done with a contact, from the list.
 * @param {HTMLElement | {x: number, y: number}} at
 * @param {Contact} contact
 */
export function openContactMenu(at, contact) {
  const { user } = contact;
  openMenu(at, contactName(app.store.state, contact), [
    { label: t("people.message"), icon: "message-circle", run: () => void openChatWith(user.id) },
    { label: t("people.profile"), icon: "user", run: () => go(href("people", "user", user.id)) },
    { label: t("people.remark"), icon: "pencil", run: () => void changeRemark(contact) },
    app.store.state.contactLists.length > 1 && { label: t("people.move"), icon: "folder", run: () => void move(contact) },
    { label: t("people.remove"), icon: "user-minus", danger: true, run: () => void removeContact(contact) },
  ]);
}

/** @param {Contact} contact */
export async function changeRemark({ user, remark }) {
  const wanted = await ask({
    title: t("people.remark"),
    label: t("people.remark_label", { name: user.nickname || user.username }),
    value: remark,
    action: t("action.save"),
    maxLength: 31,
  });
  if (wanted !== undefined && wanted !== remark) await attempt(async () => app.client?.people.change(user.id, { remark: wanted }));
}

/** @param {Contact} contact */
export async function move(contact) {
  const { user, list } = contact;
  const chosen = await choose({
    title: t("people.move_title", { name: contactName(app.store.state, contact) }),
    options: app.store.state.contactLists.map((value) => ({ value, label: listName(value) })),
    value: list,
  });
  if (chosen && chosen !== list) await attempt(async () => app.client?.people.change(user.id, { list: chosen }));
}

/** @param {Contact} contact */
export async function removeContact(contact) {
  const name = contactName(app.store.state, contact);
  const sure = await confirm({
    title: t("people.remove_title", { name }),
    text: t("people.remove_text"),
    action: t("people.remove"),
    danger: true,
  });
  if (sure) await attempt(async () => app.client?.people.remove(contact.user.id), t("people.removed", { name }));
}

/** @param {User} user @param {string} name */
export async function block(user, name) {
  const sure = await confirm({
    title: t("people.block_title", { name }),
    text: t("people.block_text"),
    action: t("people.block"),
    danger: true,
  });
  if (sure) await attempt(async () => app.client?.people.block(user.id, true));
}

/** @param {User} user */
export async function unblock(user) {
  await attempt(async () => app.client?.people.block(user.id, false));
}

/** Asks somebody to be a contact. @param {User} user */
export async function requestContact(user) {
  const name = user.nickname || user.username;
  const note = await ask({
    title: t("people.request_title", { name }),
    label: t("people.request_note"),
    action: t("people.request_send"),
    maxLength: 80,
  });
  if (note === undefined) return;
  await attempt(async () => app.client?.people.request(user.id, shorten(note, NOTE_BYTES_MAX)), t("people.requested", { name }));
}

/** The beginning of a text that takes no more bytes. @param {string} text @param {number} bytes */
export function shorten(text, bytes) {
  const encoder = new TextEncoder();
  let cut = "";
  let left = bytes;
  for (const char of text) {
    left -= encoder.encode(char).length;
    if (left < 0) break;
    cut += char;
  }
  return cut;
}
