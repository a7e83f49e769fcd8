/** @import { Message, Notice, State } from "../../types.js" */
import { formatFull, t } from "../../i18n/index.js";
import { nameOf } from "../../state/conversations.js";

/**
 * What happened in a group, as a sentence.
 * @param {State} state
 * @param {Message} message one with a notice
 * @param {string} [groupId]
 */
export function noticeText(state, message, groupId) {
  const notice = /** @type {Notice} */ (message.notice);
  const me = state.me?.id;
  const name = (/** @type {string} */ id, /** @type {string} */ you) => (id === me ? t(you) : nameOf(state, id, groupId));
  const who = name(message.sender, "lists.you");
  const whom = notice.user_id === undefined ? "" : name(notice.user_id, "lists.you_object");
  if (notice.type === "group_created") return t("notice.group_created", { who, name: notice.name ?? "" });
  if (notice.type === "member_changed") return memberChanged(notice, who, whom, message.sender === notice.user_id);
  if (notice.type === "group_changed") return groupChanged(notice, who);
  return t(`notice.${notice.type}`, { who, whom });
}

/** @param {Notice} notice @param {string} who @param {string} whom @param {boolean} oneself */
function memberChanged({ role, muted, muted_until, nickname }, who, whom, oneself) {
  const parts = [];
  if (role) parts.push(t(role === "member" ? "notice.not_admin" : `notice.made_${role}`, { who, whom }));
  if (muted === false) parts.push(t("notice.unmuted", { who, whom }));
  else if (muted_until) parts.push(t("notice.muted", { who, whom, until: formatFull(muted_until) }));
  if (nickname !== undefined) {
    const key = `notice.${nickname === "" ? "no_" : ""}nickname${oneself ? "_own" : ""}`;
    parts.push(t(key, { who, whom, name: nickname }));
  }
  return parts.join(" ");
}

/** @param {Notice} notice @param {string} who */
function groupChanged({ name, avatar, announcement, join, invite, muted }, who) {
  const parts = [];
  if (name !== undefined) parts.push(t("notice.renamed", { who, name }));
  if (avatar !== undefined) parts.push(t("notice.picture", { who }));
  if (announcement !== undefined) parts.push(t(announcement ? "notice.announcement" : "notice.no_announcement", { who, text: announcement }));
  if (join !== undefined) parts.push(t(`notice.join_${join}`, { who }));
  if (invite !== undefined) parts.push(t(`notice.invite_${invite}`, { who }));
  if (muted !== undefined) parts.push(t(muted ? "notice.mute_all" : "notice.unmute_all", { who }));
  return parts.join(" ");
}
