/** @import { Conversation, Notify } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { titleOf } from "../../state/conversations.js";
import { go, href } from "../../state/router.js";
import { attempt } from "../../ui/attempt.js";
import { choose } from "../../ui/choose.js";
import { openMenu } from "../../ui/menu.js";

/** @type {Notify[]} */
const CHOICES = ["all", "mentions", "nothing"];

/**
 * What can be done with a conversation, from the list.
 * @param {HTMLElement | {x: number, y: number}} at
 * @param {Conversation} conversation
 */
export function openConversationMenu(at, conversation) {
  const { id, pinned, notify, unread, last_seq } = conversation;
  const name = titleOf(app.store.state, conversation);
  openMenu(at, t("lists.menu", { name }), [
    { label: t(pinned ? "lists.unpin" : "lists.pin"), icon: pinned ? "pin-off" : "pin", run: () => change(id, { pinned: !pinned }) },
    { label: t("lists.notify"), icon: notify === "nothing" ? "bell-off" : "bell", run: () => void chooseNotify(conversation) },
    unread > 0 && { label: t("lists.mark_read"), icon: "check-check", run: () => app.client?.markRead(id, last_seq) },
    { label: t("lists.profile"), icon: conversation.group ? "users" : "user", run: () => go(profileOf(conversation)) },
    { label: t("lists.hide"), icon: "eye-off", run: () => hide(id) },
  ]);
}

/** Where the other side of a conversation is described. @param {Conversation} conversation */
export function profileOf({ group, peer }) {
  return group ? href("people", "group", group.id) : href("people", "user", peer?.id ?? "0");
}

/**
 * Asks what of a conversation may notify one, and sets it.
 * @param {Conversation} conversation
 */
export async function chooseNotify(conversation) {
  const name = titleOf(app.store.state, conversation);
  const fitting = CHOICES.filter((choice) => conversation.group || choice !== "mentions");
  const chosen = await choose({
    title: t("lists.notify_title", { name }),
    options: fitting.map((value) => ({ value, label: t(`lists.notify_${value}`) })),
    value: conversation.notify,
  });
  if (chosen && chosen !== conversation.notify) await change(conversation.id, { notify: chosen });
}

/** @param {string} id @param {{notify?: string, pinned?: boolean, hidden?: boolean}} wanted */
function change(id, wanted) {
  return attempt(async () => app.client?.changeConversation(id, wanted));
}

/** @param {string} id */
async function hide(id) {
  await change(id, { hidden: true });
  const { page, parts } = app.store.state.route;
  if (page === "chats" && parts[0] === id) go(href("chats"));
}
