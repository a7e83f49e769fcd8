/** @import { Conversation, GroupMember, Message, State } from "../types.js" */
import { calledBy, toldApart } from "./namesakes.js";

/**
 * What a message does to the conversation that it came in.
 * @param {Conversation} conversation
 * @param {Message} message
 * @param {string} me
 * @returns {Conversation}
 */
export function withMessage(conversation, message, me) {
  const own = message.sender === me;
  // What was told before changes nothing: a reload and an event may say the same.
  if (message.seq <= conversation.last_seq) {
    // A reaction to an own message may be heard of before the answer that tells its place.
    if (!own || message.seq <= (conversation.last_message?.seq ?? 0)) return conversation;
    const read_seq = Math.max(message.seq, conversation.read_seq);
    return { ...conversation, last_message: message, active_at: message.time, hidden: false, read_seq, unread: 0, mentions: 0 };
  }
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
    ...(conversation.kind === "direct" && !own && !message.notice ? answered(conversation, message) : {}),
  };
}

/** Who answers has read what stands before; no event tells that. @param {Conversation} conversation @param {Message} message */
function answered({ peer_read_seq = 0 }, { seq }) {
  return { peer_read_seq: Math.max(seq, peer_read_seq) };
}

/**
 * What is known of a conversation when an answer comes that may have left the server before what
 * events told: marks never go back.
 * @param {Conversation | undefined} known
 * @param {Conversation} loaded
 * @returns {Conversation}
 */
export function newer(known, loaded) {
  if (!known) return loaded;
  const { last_message, active_at, hidden } = showsMore(known, loaded) ? known : loaded;
  const last_seq = Math.max(known.last_seq, loaded.last_seq);
  const read_seq = Math.max(known.read_seq, loaded.read_seq);
  const counted = last_seq > loaded.last_seq || read_seq > loaded.read_seq ? known : loaded;
  const isRead = read_seq >= last_seq;
  return {
    ...loaded,
    last_message,
    active_at,
    hidden,
    last_seq,
    read_seq,
    unread: isRead ? 0 : counted.unread,
    mentions: isRead ? 0 : counted.mentions,
    ...further("peer_read_seq", known, loaded),
    ...further("peer_delivered_seq", known, loaded),
  };
}

/** Whether what is known has a newer last line. @param {Conversation} known @param {Conversation} loaded */
function showsMore(known, loaded) {
  const newest = known.last_message?.seq ?? 0;
  const loadedNewest = loaded.last_message?.seq ?? 0;
  return newest === loadedNewest ? known.last_seq > loaded.last_seq : newest > loadedNewest;
}

/** @param {"peer_read_seq" | "peer_delivered_seq"} mark @param {Conversation} known @param {Conversation} loaded */
function further(mark, known, loaded) {
  if (known[mark] === undefined && loaded[mark] === undefined) return {};
  return { [mark]: Math.max(known[mark] ?? 0, loaded[mark] ?? 0) };
}

/** The conversation that is on the screen, if one is. @param {State} state */
export function shownId({ route }) {
  return route.page === "chats" ? route.parts[0] : undefined;
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
  const contact = state.contacts.get(peer.id);
  return toldApart(state.contacts, user, (contact ? calledBy(contact) : user.nickname || user.username) || peer.id);
}

/**
 * The remark that one gave somebody, or the nickname, or the user name; told apart from contacts of
 * the same name.
 * @param {State} state
 * @param {string} userId
 * @param {string} [groupId] where the user may have a name of its own
 */
export function nameOf(state, userId, groupId) {
  const member = groupId ? memberOf(state, userId, groupId) : undefined;
  const user = userOf(state, userId) ?? member?.user;
  const name = state.contacts.get(userId)?.remark || member?.nickname || user?.nickname || user?.username || userId;
  return user && userId !== state.me?.id ? toldApart(state.contacts, user, name) : name;
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
