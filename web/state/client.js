/** @import { Account, Conversation, Message, PendingMessage, Segment, ServerEvent } from "../types.js" */
/** @import { Store } from "./store.js" */
import { makeApi } from "../net/api.js";
import { Backoff } from "../net/backoff.js";
import { Http } from "../net/http.js";
import { freshId } from "../net/ids.js";
import { Link } from "../net/link.js";
import { Problem } from "../net/problem.js";
import { ConversationLoader } from "./conversation_loader.js";
import { shownId } from "./conversations.js";
import { Database } from "./database.js";
import { Drafts } from "./drafts.js";
import { apply } from "./events.js";
import { Files } from "./files.js";
import { Groups } from "./groups.js";
import { HistoryLoader } from "./history_loader.js";
import { Outbox } from "./outbox.js";
import { People } from "./people.js";
import { PresenceLoader } from "./presence.js";
import { ReadMarks } from "./read_marks.js";
import { Uploads } from "./uploads.js";

/** Events that tell how far somebody got, and have no place in the log themselves. */
const PASSING = new Set(["read", "delivered"]);
/** What could not be loaded is asked for again after that, or after longer. */
const AGAIN_MS = 1_000;
/** Typing is told at most so often; the server passes it on once a second. */
const TYPING_MS = 3_000;

/**
 * One account at work: it keeps the store true to the server, and does what views ask for.
 *
 * The store is loaded over HTTP whenever a connection was made, and kept up to date by its events.
 * Nothing is counted twice and nothing is missed, because events are taken from before the loading
 * begins, and both recognize what the other brought by its `seq`.
 */
export class Client {
  #end = new AbortController();
  #loads = new Backoff();
  /** @type {number | undefined} */ #again;
  /** The name of the history that the state is of. @type {string | undefined} */ #epoch;
  /** @type {Map<string, number>} */ #typed = new Map();
  /** @type {Set<(event: ServerEvent, leads: boolean) => void>} */ #listeners = new Set();

  /**
   * @param {Account} account
   * @param {Store} store
   * @param {(code: string) => void} ended the sign-in is over, and why
   */
  constructor(account, store, ended) {
    this.account = account;
    store = store.until(this.#end.signal);
    this.store = store;
    this.api = makeApi(new Http(() => account.token, () => this.#ended("unauthenticated")));
    this.database = new Database(account.user_id);
    this.files = new Files(this.api);
    this.presence = new PresenceLoader(store, this.api);
    this.people = new People(store, this.api, this.presence, () => this.link.share({ event: "contact.changed" }));
    this.conversations = new ConversationLoader(store, this.api);
    this.groups = new Groups(this);
    this.history = new HistoryLoader(store, this.api);
    this.reads = new ReadMarks(this.api, (id, seq) => void this.#counted(id, seq));
    this.outbox = new Outbox(store, this.api, this.database, (message, forwarded) => this.#sent({ ...message, sender: account.user_id }, forwarded));
    this.uploads = new Uploads(this);
    this.drafts = new Drafts(store, this.database, (event) => this.link.share(event));
    this.onEnded = ended;
    const url = new URL("/api/v1/ws", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    this.link = new Link(`${account.user_id}.${account.session_id}`, url.href, {
      hello: () => ({ token: account.token, epoch: this.#epoch, backlog: "recent" }),
      welcomed: (welcome) => this.#welcomed(welcome),
      event: (event, leads) => this.#event(event, leads),
      state: (link, linkRetryAt) => this.#linked(link, linkRetryAt),
      ended: (code) => this.#ended(code),
    });
    void this.#load();
    void this.outbox.restore().catch(() => {});
    void this.drafts.restore().catch(() => {});
  }

  stop() {
    this.#end.abort();
    clearTimeout(this.#again);
    for (const part of [this.conversations, this.people, this.groups, this.history, this.reads]) part.stop();
    this.link.stop();
    this.api.http.stop();
    this.outbox.stop();
    this.uploads.stop();
    this.drafts.stop();
  }

  /** Hears every event after it was applied, and whether this tab is the one to tell people of it. */
  onEvent(/** @type {(event: ServerEvent, leads: boolean) => void} */ listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // Conversations

  /**
   * The conversation with somebody, or of a group.
   * @param {{user_id: string} | {group_id: string}} withWhom
   * @returns {Promise<Conversation>}
   */
  async openWith(withWhom) {
    const { conversation } = await this.api.openConversation(withWhom);
    this.conversations.take(conversation);
    return conversation;
  }

  /** @param {string} id @param {{notify?: string, pinned?: boolean, hidden?: boolean}} change */
  async changeConversation(id, change) {
    const changed = await this.api.changeConversation(id, change);
    const conversation = changed?.conversation ?? changed;
    if (conversation?.id) this.conversations.take(conversation);
    else await this.conversations.loadOne(id);
    this.link.share({ event: "conversation", conversation: id, summary: this.store.state.conversations.get(id) });
  }

  /** The user saw everything up to here. @param {string} id @param {number} seq */
  markRead(id, seq) {
    const conversation = this.store.state.conversations.get(id);
    if (!conversation || seq <= conversation.read_seq) return;
    if (seq >= conversation.last_seq) {
      this.#tell({ event: "read", conversation: id, user_id: this.account.user_id, seq });
    } else {
      this.store.put("conversations", id, { ...conversation, read_seq: seq });
    }
    this.reads.mark(id, seq);
  }

  /** The server knows how far one has read. @param {string} id @param {number} seq */
  async #counted(id, seq) {
    const conversation = this.store.state.conversations.get(id);
    // What is left only the server can count.
    if (conversation && seq < conversation.last_seq && conversation.unread > 0) {
      await this.conversations.loadOne(id);
      this.link.share({ event: "conversation", conversation: id, summary: this.store.state.conversations.get(id) });
    }
  }

  /** Somebody types here. @param {string} conversation */
  typing(conversation) {
    const now = Date.now();
    if (now - (this.#typed.get(conversation) ?? 0) < TYPING_MS) return;
    this.#typed.set(conversation, now);
    this.link.request("typing", { conversation }).catch(() => {});
  }

  // Messages

  /**
   * @param {string} conversation
   * @param {Segment[]} segments
   * @param {{reply_to?: number, forward?: {conversation: string, seq: number}}} [more]
   */
  async send(conversation, segments, more = {}) {
    /** @type {PendingMessage} */
    const message = { client_id: freshId(), conversation, segments, created: Date.now(), state: "queued", ...more };
    await this.outbox.add(message);
  }

  /** @param {Message} message @param {Segment[]} segments */
  async edit(message, segments) {
    await this.api.edit(message.conversation, message.seq, { segments, client_id: freshId() });
    await this.#changed(message);
  }

  /** @param {Message} message */
  async recall(message) {
    await this.api.recall(message.conversation, message.seq);
    await this.#changed(message);
  }

  /** Adds one's reaction, or takes it back. @param {Message} message @param {string} emoji */
  async react(message, emoji) {
    const own = message.reactions?.find((one) => one.emoji === emoji)?.users.includes(this.account.user_id);
    if (own) await this.api.unreact(message.conversation, message.seq, emoji);
    else await this.api.react(message.conversation, message.seq, emoji);
    await this.#changed(message);
  }

  // Loading

  /** A connection was made. @param {Record<string, any>} welcome */
  #welcomed({ epoch, resync }) {
    // After a backup was restored, what is known here may be of messages that never were.
    if (resync || (this.#epoch && epoch !== this.#epoch)) {
      this.reads.forget();
      this.history.forget();
      this.store.set({ conversations: new Map(), conversationsLoaded: false });
    }
    this.#epoch = epoch;
    this.history.missed();
    void this.#load();
  }

  /** Loads everything that is always held. */
  async #load() {
    clearTimeout(this.#again);
    if (this.#end.signal.aborted) return;
    try {
      const [me, server] = await Promise.all([this.api.me(), this.api.server()]);
      this.store.set({ me, server });
      await Promise.all([this.conversations.load(), this.people.load(), this.#refreshWindows()]);
      this.groups.reload();
      this.presence.reload();
      this.outbox.wake();
      this.#loads.succeeded();
    } catch (error) {
      if (this.#end.signal.aborted) return;
      // The next connection loads it again. As long as this one holds, nobody else would.
      if (this.store.state.link !== "online") return;
      const wait = Math.max(AGAIN_MS, Problem.of(error).retryAfter * 1_000, this.#loads.next());
      clearTimeout(this.#again);
      this.#again = setTimeout(() => void this.#load(), wait);
    }
  }

  /** What is on a screen is filled in; the rest is loaded again when somebody looks at it. */
  async #refreshWindows() {
    const shown = shownId(this.store.state);
    const kept = shown ? this.store.state.windows.get(shown) : undefined;
    this.store.set({ windows: new Map(shown && kept ? [[shown, kept]] : []) });
    if (shown && kept) await this.history.catchUp(shown);
  }

  /** A message of this device got to the server. @param {Message} message @param {boolean} forwarded */
  #sent(message, forwarded) {
    this.#tell({ event: "message", conversation: message.conversation, seq: message.seq, message });
    // The server knows more of a file than its sender, and what a forwarded message says.
    const { segments } = message;
    if (forwarded || segments.some(({ type }) => type === "image" || type === "file")) void this.#changed(message);
  }

  /** Shows a message anew that this device changed: the server does not tell it. @param {Message} message */
  async #changed({ conversation, seq }) {
    const message = await this.api.message(conversation, seq).catch(() => null);
    if (!message) return;
    this.#tell({ event: "message.updated", conversation, seq, message });
  }

  /** Something that this tab did, for all tabs. @param {ServerEvent} event */
  #tell(event) {
    apply(this, event);
    this.link.share(event);
  }

  /** @param {ServerEvent} event @param {boolean} leads */
  #event(event, leads) {
    if (event.event === "session.revoked") return;
    // One of ours, that no server tells.
    if (event.event === "draft") return this.drafts.heard(event);
    apply(this, event);
    const { conversation, seq, last_seq } = event;
    const upTo = seq ?? (event.event === "head" ? last_seq : undefined);
    if (leads && conversation && upTo && !PASSING.has(event.event)) this.link.ack(conversation, upTo);
    for (const listener of this.#listeners) listener(event, leads);
  }

  /** @param {import("../types.js").LinkState} link @param {number} linkRetryAt */
  #linked(link, linkRetryAt) {
    this.store.set({ link, linkRetryAt });
    if (link !== "online") return;
    this.outbox.wake();
    this.uploads.wake();
    this.reads.wake();
    // What was left in a tab that was closed while there was no network.
    if (this.link.leads) void this.outbox.restore(false).catch(() => {});
  }

  /** @param {string} code */
  #ended(code) {
    if (this.#end.signal.aborted) return;
    this.stop();
    this.onEnded(code);
  }
}
