/** @import { Group, GroupMember } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { nameOf } from "../../state/conversations.js";
import { isMuted, isOwner, mayActOn } from "../../state/group_rights.js";
import { go, href } from "../../state/router.js";
import { attempt } from "../../ui/attempt.js";
import { ask, confirm } from "../../ui/dialog.js";
import { openMenu } from "../../ui/menu.js";
import { openChatWith } from "../chats/open_chat.js";
import { NAME_BYTES_MAX } from "./create_group_dialog.js";
import { changeOwnNickname, handOver } from "./group_actions.js";
import { chooseMuteEnd } from "./mute_dialog.js";

/**
 * What one may do about a member of a group.
 * @param {HTMLElement | {x: number, y: number}} at
 * @param {Group} group
 * @param {GroupMember} member
 */
export function openMemberMenu(at, group, member) {
  const { state } = app.store;
  const { user, role } = member;
  const name = nameOf(state, user.id, group.id);
  const own = user.id === state.me?.id;
  const acts = !own && mayActOn(group, member);
  const owns = !own && isOwner(group);
  const writes = !own && (state.contacts.has(user.id) || state.server?.direct_messages === "everyone");
  openMenu(at, name, [
    { label: t("people.profile"), icon: "user", run: () => go(href("people", "user", user.id)) },
    writes && { label: t("people.message"), icon: "message-circle", run: () => void openChatWith(user.id) },
    own && { label: t("people.change_own_nickname"), icon: "pencil", run: () => void changeOwnNickname(group) },
    acts && { label: t("people.member_nickname"), icon: "pencil", run: () => void rename(group, member, name) },
    owns && role === "member" && { label: t("people.make_admin"), icon: "shield", run: () => change(group, user.id, { role: "admin" }) },
    owns && role === "admin" && { label: t("people.take_admin"), icon: "shield", run: () => change(group, user.id, { role: "member" }) },
    owns && { label: t("people.transfer"), icon: "crown", run: () => void handOver(group, user.id) },
    acts && isMuted(member) && { label: t("people.unmute"), icon: "volume-2", run: () => change(group, user.id, { muted_until: null }) },
    acts && { label: t("people.mute"), icon: "volume-x", run: () => void mute(group, user.id, name) },
    acts && { label: t("people.take_out"), icon: "user-x", danger: true, run: () => void takeOut(group, user.id, name) },
  ]);
}

/** @param {Group} group @param {string} user @param {object} wanted */
function change(group, user, wanted) {
  return attempt(async () => app.client?.groups.act(group.id, (api) => api.changeMember(group.id, user, wanted)));
}

/** @param {Group} group @param {GroupMember} member @param {string} name */
async function rename(group, { user, nickname = "" }, name) {
  const wanted = await ask({
    title: t("people.member_nickname"),
    label: t("people.member_nickname_label", { name }),
    value: nickname,
    action: t("action.save"),
    maxLength: NAME_BYTES_MAX,
  });
  if (wanted !== undefined && wanted !== nickname) await change(group, user.id, { nickname: wanted });
}

/** @param {Group} group @param {string} user @param {string} name */
async function mute(group, user, name) {
  const until = await chooseMuteEnd(name);
  if (until) await change(group, user, { muted_until: until.toISOString() });
}

/** @param {Group} group @param {string} user @param {string} name */
async function takeOut(group, user, name) {
  const sure = await confirm({
    title: t("people.take_out_title", { name }),
    text: t("people.take_out_text", { name, group: group.name }),
    action: t("people.take_out"),
    danger: true,
  });
  if (sure) await attempt(async () => app.client?.groups.act(group.id, (api) => api.removeMember(group.id, user)));
}
