/** @import { Conversation, GroupMember, Message, State } from "../types.js" */

/**
 * What a message does to the conversation that it came in.
 * @param {Conversation} conversation
 * @param {Message} message
 * @param {string} me
 * @returns {Conversation}
 */
export function withMessage(conversation, message, me) {
  // What was told before changes nothing: a reload and an event may say the same.
  if (message.seq <= conversation.last_seq) return conversation;
  const own = message.sender === me;
  const counts = !own && !message.notice && message.seq > conversation.read_seq;
  return {
    ...conversation,
    last_seq: message.seq,
    last_message: message,
    active_at: message.time,
    hidden: false,
    read_seq: own ? message.seq : conversation.read_seq,
    unread: own ? 0 : Math.min(999, conversation.unread + (counts ? 1 : 0)),
    mentions: own ? 0 : conversation.mentions + (counts && mentions(message, me) ? 1 : 0),
  };
}

/**
 * @param {Message} message
 * @param {string} me
 */
export function mentions(message, me) {
  return message.segments.some(
    (segment) => segment.type === "mention" && (segment.user_id === me || segment.user_id === "all"),
  );
}

/**
 * The list as it is shown: pinned ones first, then the newest activity.
 * @param {Map<string, Conversation>} conversations
 */
export function sorted(conversations) {
  return [...conversations.values()]
    .filter((conversation) => !conversation.hidden)
    .sort(
      (a, b) =>
        Number(b.pinned) - Number(a.pinned) || (a.active_at < b.active_at ? 1 : a.active_at > b.active_at ? -1 : 0),
    );
}

/**
 * How many unread messages the title tells of.
 * @param {State} state
 */
export function unreadTotal(state) {
  let total = 0;
  for (const conversation of state.conversations.values()) {
    if (conversation.hidden || conversation.notify === "nothing") continue;
    total += conversation.notify === "mentions" ? conversation.mentions : conversation.unread;
  }
  return total;
}

/**
 * What one calls the other side.
 * @param {State} state
 * @param {Conversation} conversation
 */
export function titleOf(state, conversation) {
  const { group, peer } = conversation;
  if (group) return group.name;
  if (!peer) return "";
  // A peer may be known from the list of conversations only.
  const user = userOf(state, peer.id) ?? peer;
  return state.contacts.get(peer.id)?.remark || user.nickname || user.username || peer.id;
}

/**
 * The remark that one gave somebody, or the nickname, or the user name.
 * @param {State} state
 * @param {string} userId
 * @param {string} [groupId] where the user may have a name of its own
 */
export function nameOf(state, userId, groupId) {
  const contact = state.contacts.get(userId);
  if (contact?.remark) return contact.remark;
  const member = groupId ? memberOf(state, userId, groupId) : undefined;
  if (member?.nickname) return member.nickname;
  const user = userOf(state, userId);
  return user?.nickname || user?.username || userId;
}

/** Thousands of names may be looked up in a group of thousands. @type {WeakMap<GroupMember[], Map<string, GroupMember>>} */
const byId = new WeakMap();

/**
 * Somebody as a member of a group whose members are loaded.
 * @param {State} state
 * @param {string} userId
 * @param {string} groupId
 */
export function memberOf(state, userId, groupId) {
  const members = state.members.get(groupId);
  if (!members) return undefined;
  let found = byId.get(members);
  if (!found) byId.set(members, (found = new Map(members.map((member) => [member.user.id, member]))));
  return found.get(userId);
}

/**
 * @param {State} state
 * @param {string} userId
 */
export function userOf(state, userId) {
  if (state.me?.id === userId) return state.me;
  return state.users.get(userId) ?? state.contacts.get(userId)?.user;
}

/**
 * How far one's own message got.
 * @param {Conversation} conversation
 * @param {Message} message
 * @returns {"sent" | "delivered" | "read"}
 */
export function progressOf(conversation, message) {
  if (message.seq <= (conversation.peer_read_seq ?? 0)) return "read";
  if (message.seq <= (conversation.peer_delivered_seq ?? 0)) return "delivered";
  return "sent";
}
