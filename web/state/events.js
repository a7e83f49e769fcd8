/** @import { Message, ServerEvent } from "../types.js" */
/** @import { Client } from "./client.js" */
import { withMessage } from "./conversations.js";

/** How long somebody is shown as typing. The server passes it on once a second. */
const TYPING_MS = 5_000;

/**
 * What an event of the server does to the state. Events may be told twice, and may tell what was
 * loaded already: nothing here counts anything that it cannot recognize.
 * @param {Client} client
 * @param {ServerEvent} event
 */
export function apply(client, event) {
  const kind = event.event;
  if (kind === "message") return onMessage(client, event.message);
  if (kind === "message.updated") return onUpdated(client, event);
  if (kind === "conversation") return onSummary(client, event);
  if (kind === "head") return onHead(client, event);
  if (kind === "read") return onRead(client, event);
  if (kind === "delivered") return onDelivered(client, event);
  if (kind === "typing") return onTyping(client, event);
  if (kind === "presence") return onPresence(client, event);
  if (kind === "contact.profile_changed") return client.people.changedProfile(event.user_id);
  if (kind === "group.profile_changed") return onGroupProfile(client, event);
  if (kind === "contact.changed" && event.group_id) {
    // One joined a group or left it, or was taken out of it.
    client.groups.changed(event.group_id);
    return client.conversations.loadSoon();
  }
  if (kind.startsWith("contact.")) return client.people.changed();
  if (kind === "group.dissolved" || kind === "group.join_answered" || kind === "group.join_requested") {
    client.groups.changed(event.group_id);
    return client.conversations.loadSoon();
  }
  if (kind.startsWith("group.")) return onGroupNotice(client, event);
}

/** @param {Client} client @param {Message} message */
function onMessage(client, message) {
  const { store } = client;
  const { conversation: id } = message;
  const me = client.account.user_id;
  const conversation = store.state.conversations.get(id);
  if (conversation) store.put("conversations", id, withMessage(conversation, message, me));
  else client.conversations.want(id, message.seq);
  client.history.heard(message, true);
  if (message.sender === me) client.outbox.sentElsewhere(message);
  else stopTyping(client, id, message.sender);
}

/** @param {Client} client @param {ServerEvent} event */
function onUpdated(client, { conversation: id = "", seq = 0, message }) {
  const { store } = client;
  client.history.heard(message, false);
  const conversation = store.state.conversations.get(id);
  if (!conversation) return;
  const isLast = conversation.last_message?.seq === message.seq;
  store.put("conversations", id, {
    ...conversation,
    last_seq: Math.max(conversation.last_seq, seq),
    last_message: isLast ? message : conversation.last_message,
  });
}

/** @param {Client} client @param {ServerEvent} event */
function onSummary(client, { conversation: id = "", summary }) {
  // Another tab tells also of one that is gone.
  if (summary) client.conversations.take(summary);
  else client.store.put("conversations", id, undefined);
}

/** A large group moved. @param {Client} client @param {ServerEvent} event */
function onHead(client, { conversation: id = "", last_seq }) {
  client.conversations.want(id, last_seq);
  client.history.moved(id);
}

/** @param {Client} client @param {ServerEvent} event */
function onRead(client, { conversation: id = "", user_id, seq = 0 }) {
  const { store } = client;
  const conversation = store.state.conversations.get(id);
  if (!conversation) return;
  if (user_id !== client.account.user_id) {
    if (conversation.kind !== "direct") return;
    const peer_read_seq = Math.max(seq, conversation.peer_read_seq ?? 0);
    return store.put("conversations", id, { ...conversation, peer_read_seq });
  }
  if (seq <= conversation.read_seq) return;
  if (seq >= conversation.last_seq) {
    return store.put("conversations", id, { ...conversation, read_seq: seq, unread: 0, mentions: 0 });
  }
  // Only the server can count what is left.
  client.conversations.want(id);
}

/** @param {Client} client @param {ServerEvent} event */
function onDelivered(client, { conversation: id = "", seq = 0 }) {
  const conversation = client.store.state.conversations.get(id);
  if (!conversation) return;
  const peer_delivered_seq = Math.max(seq, conversation.peer_delivered_seq ?? 0);
  client.store.put("conversations", id, { ...conversation, peer_delivered_seq });
}

/** @param {Client} client @param {ServerEvent} event */
function onTyping(client, { conversation: id = "", user_id }) {
  const { store } = client;
  if (user_id === client.account.user_id) return;
  const typing = new Map(store.state.typing.get(id));
  typing.set(user_id, Date.now() + TYPING_MS);
  store.put("typing", id, typing);
  setTimeout(() => {
    if ((store.state.typing.get(id)?.get(user_id) ?? 0) <= Date.now()) stopTyping(client, id, user_id);
  }, TYPING_MS + 50);
}

/** @param {Client} client @param {ServerEvent} event */
function onPresence({ store }, { user_id, status, client, last_seen }) {
  // Who goes was here until now.
  const seen = status === "offline" ? (last_seen ?? new Date().toISOString()) : undefined;
  store.put("presence", user_id, { user_id, status, client, last_seen: seen });
}

/** @param {Client} client @param {string} id @param {string} userId */
function stopTyping({ store }, id, userId) {
  const typing = new Map(store.state.typing.get(id));
  if (typing.delete(userId)) store.put("typing", id, typing.size ? typing : undefined);
}

/** @param {Client} client @param {ServerEvent} event */
function onGroupProfile(client, { group_id }) {
  client.groups.changed(group_id);
  for (const { id, group } of client.store.state.conversations.values()) {
    if (group?.id === group_id) client.conversations.want(id);
  }
}

/**
 * What happened in a group stands in its history as a notice; the event has the notice's fields.
 * @param {Client} client @param {ServerEvent} event
 */
function onGroupNotice(client, event) {
  const { event: name, conversation = "", seq = 0, time, sender, group_id, ...fields } = event;
  const word = name.slice("group.".length);
  const known = client.store.state.conversations.get(conversation);
  const isNews = known !== undefined && seq > known.last_seq;
  const type = word === "created" || word === "changed" ? `group_${word}` : word;
  onMessage(client, {
    conversation,
    seq,
    time,
    sender,
    client_id: "",
    segments: [],
    notice: /** @type {any} */ ({ type, ...fields }),
  });
  client.groups.changed(group_id);
  // Name, picture and the number of members may be other ones.
  if (isNews) client.conversations.want(conversation);
}
