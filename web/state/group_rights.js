/** @import { Group, GroupMember, Role } from "../types.js" */

/** What one may do in a group, as the server has it (docs/protocol/api.md, 4). */

const RANK = { member: 1, admin: 2, owner: 3 };

/** @param {Role | undefined} role */
function rank(role) {
  return role ? RANK[role] : 0;
}

/** Name, picture, rules, requests. @param {Group} group */
export function mayManage({ role }) {
  return rank(role) >= RANK.admin;
}

/** @param {Group} group */
export function mayInvite({ role, invite }) {
  return rank(role) >= (invite === "members" ? RANK.member : RANK.admin);
}

/** Mute, rename and take out. @param {Group} group @param {GroupMember} member */
export function mayActOn(group, member) {
  return mayManage(group) && rank(group.role) > rank(member.role);
}

/** Make admins, hand over, dissolve. @param {Group} group */
export function isOwner({ role }) {
  return role === "owner";
}

/** Whether a member may not write at the moment. @param {GroupMember} member */
export function isMuted({ muted_until }) {
  return muted_until !== undefined && Date.parse(muted_until) > Date.now();
}
