/** @import { ContactRequest, Conversation, State } from "../types.js" */

/**
 * Whether one may write here, and if not, why and what can be done about it.
 * @typedef {object} Hindrance
 * @property {"not_a_member" | "muted" | "muted_until" | "blocked" | "not_friends"} reason
 * @property {string} [until] for `muted_until`
 * @property {ContactRequest} [request] for `not_friends`: one that is open, either way
 */

/**
 * What the server would refuse, as far as is known. What is not known hinders nobody.
 * @param {State} state
 * @param {Conversation} conversation
 * @returns {Hindrance | null}
 */
export function hindrance(state, conversation) {
  return conversation.kind === "group" ? inGroup(state, conversation) : withPeer(state, conversation);
}

/** @param {State} state @param {Conversation} conversation @returns {Hindrance | null} */
function inGroup(state, conversation) {
  const group = state.groups.get(conversation.group?.id ?? "");
  if (!group) return null;
  if (!group.role) return { reason: "not_a_member" };
  if (group.role !== "member") return null;
  if (group.muted) return { reason: "muted" };
  const own = state.members.get(group.id)?.find(({ user }) => user.id === state.me?.id);
  const until = own?.muted_until;
  return until && Date.parse(until) > Date.now() ? { reason: "muted_until", until } : null;
}

/** @param {State} state @param {Conversation} conversation @returns {Hindrance | null} */
function withPeer(state, { peer }) {
  if (!peer) return null;
  if (state.blocks.has(peer.id)) return { reason: "blocked" };
  if (!state.contactsLoaded || state.server?.direct_messages !== "friends") return null;
  if (state.contacts.has(peer.id) || peer.id === state.me?.id) return null;
  return { reason: "not_friends", request: state.requests.find(({ user }) => user.id === peer.id) };
}
