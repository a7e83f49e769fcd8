/** @import { GroupMember } from "../types.js" */
/** @import { Client } from "./client.js" */
import { Problem } from "../net/problem.js";

const SETTLE_MS = 150;

/** Groups and their members, loaded when a view needs them. */
export class Groups {
  /** @type {Map<string, number>} */ #soon = new Map();
  /** @type {Set<string>} */ #asked = new Set();

  /** @param {Client} client */
  constructor(client) {
    this.client = client;
  }

  /** Loads a group with its members if that was not done yet. @param {string} id */
  need(id) {
    if (this.#asked.has(id)) return;
    this.#asked.add(id);
    void this.load(id).catch(() => this.#asked.delete(id));
  }

  /** @param {string} id */
  async load(id) {
    const { api, store } = this.client;
    this.#asked.add(id);
    try {
      const group = await api.group(id);
      store.put("groups", id, group);
      if (!group.role) return store.put("members", id, undefined);
    } catch (error) {
      if (["not_a_member", "no_such_group"].includes(Problem.of(error).code)) {
        store.put("groups", id, undefined);
        store.put("members", id, undefined);
        return;
      }
      throw error;
    }
    /** @type {GroupMember[]} */
    const members = [];
    /** @type {string | undefined} */
    let cursor;
    do {
      const { items, next } = await api.members(id, cursor);
      members.push(...items);
      cursor = next ?? undefined;
    } while (cursor);
    const users = new Map(store.state.users);
    for (const { user } of members) users.set(user.id, user);
    store.set({ users });
    store.put("members", id, members);
  }

  /** Something of it changed on the server. @param {string} id */
  changed(id) {
    const { client } = this;
    clearTimeout(this.#soon.get(id));
    const load = () => {
      this.#soon.delete(id);
      if (this.#asked.has(id)) void this.load(id).catch(() => {});
      for (const { id: conversation, group } of client.store.state.conversations.values()) {
        if (group?.id === id) void client.loadConversation(conversation);
      }
    };
    this.#soon.set(id, setTimeout(load, SETTLE_MS));
  }

  /**
   * Changes a group, and shows it as it is then, in all tabs: the server does not tell a device what
   * it did itself.
   * @template T
   * @param {string} id
   * @param {(api: import("../net/api.js").Api) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async act(id, work) {
    const { client } = this;
    const result = await work(client.api);
    await this.load(id);
    const { store } = client;
    const { conversations, groups, windows } = store.state;
    const conversation = [...conversations.values()].find(({ group }) => group?.id === id);
    if (!conversation) {
      client.loadConversationsSoon();
    } else if (!groups.get(id)?.role) {
      // One left it, or it is gone.
      store.put("conversations", conversation.id, undefined);
      store.put("windows", conversation.id, undefined);
    } else {
      await client.loadConversation(conversation.id);
      // What was done stands in the history.
      if (windows.get(conversation.id)?.atEnd) void client.history.newest(conversation.id);
    }
    client.link.share({ event: "group.profile_changed", group_id: id });
    return result;
  }

  /** After a reconnect nothing of it is sure any more. */
  reload() {
    for (const id of this.#asked) void this.load(id).catch(() => {});
  }
}
