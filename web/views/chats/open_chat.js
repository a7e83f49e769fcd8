import { app } from "../../state/app.js";
import { go, href } from "../../state/router.js";
import { attempt } from "../../ui/attempt.js";

/** Opens the conversation with somebody, making it if there is none. @param {string} userId */
export function openChatWith(userId) {
  return open({ user_id: userId });
}

/** Opens the conversation of a group. @param {string} groupId */
export function openChatOf(groupId) {
  return open({ group_id: groupId });
}

/** @param {{user_id: string} | {group_id: string}} withWhom */
async function open(withWhom) {
  const conversation = await attempt(async () => app.client?.openWith(withWhom));
  if (conversation) go(href("chats", conversation.id));
}
