/** @import { Group, GroupMember, State } from "../types.js" */
/** @import { Client } from "./client.js" */
import { Problem } from "../net/problem.js";
import { shownId } from "./conversations.js";
import { Retry } from "./retry.js";

const SETTLE_MS = 150;

/** Groups and their members, loaded when a view needs them. */
export class Groups {
  /** @type {Map<string, Retry>} */ #soon = new Map();
  /** @type {Set<string>} */ #asked = new Set();
  #runs = 0;
  /** Which of the answers is shown. @type {Map<string, number>} */ #shown = new Map();

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
    const { store } = this.client;
    this.#asked.add(id);
    const run = (this.#runs += 1);
    const { group, members } = await this.#ask(id);
    // What was asked for later is newer, whichever came first.
    if (run < (this.#shown.get(id) ?? 0)) return;
    this.#shown.set(id, run);
    const users = new Map(store.state.users);
    for (const { user } of members ?? []) users.set(user.id, user);
    store.set({ users });
    store.put("groups", id, group);
    store.put("members", id, members);
  }

  /**
   * A group as one may see it, with its members if one is one of them.
   * @param {string} id
   * @returns {Promise<{group?: Group, members?: GroupMember[]}>}
   */
  async #ask(id) {
    const { api } = this.client;
    /** @type {GroupMember[]} */
    const members = [];
    try {
      /** @type {Group} */
      const group = await api.group(id);
      if (!group.role) return { group };
      /** @type {string | undefined} */
      let cursor;
      do {
        const { items, next } = await api.members(id, cursor);
        members.push(...items);
        cursor = next ?? undefined;
      } while (cursor);
      return { group, members };
    } catch (error) {
      const { code } = Problem.of(error);
      if (code === "no_such_group") return {};
      // One was taken out at this moment.
      if (code === "not_a_member") return this.#ask(id);
      throw error;
    }
  }

  /** Something of it changed on the server. @param {string} id */
  changed(id) {
    if (!this.#asked.has(id)) return;
    const soon = this.#soon.get(id) ?? new Retry(SETTLE_MS, () => this.load(id));
    this.#soon.set(id, soon);
    soon.settled();
  }

  stop() {
    for (const soon of this.#soon.values()) soon.stop();
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
      client.conversations.loadSoon();
    } else if (!groups.get(id)?.role) {
      // One left it, or it is gone.
      store.put("conversations", conversation.id, undefined);
      store.put("windows", conversation.id, undefined);
    } else {
      await client.conversations.loadOne(conversation.id);
      // What was done stands in the history.
      if (windows.get(conversation.id)?.atEnd) void client.history.newest(conversation.id);
    }
    client.link.share({ event: "group.profile_changed", group_id: id });
    return result;
  }

  /** After a reconnect nothing of it is sure any more: what is not looked at is loaded when it is. */
  reload() {
    const shown = shownGroup(this.client.store.state);
    for (const [id, soon] of this.#soon) if (id !== shown) soon.stop();
    const isAsked = shown !== undefined && this.#asked.has(shown);
    const soon = shown && this.#soon.get(shown);
    this.#soon = new Map(soon ? [[shown, soon]] : []);
    this.#asked = new Set(isAsked ? [shown] : []);
    if (isAsked) this.changed(shown);
  }
}

/** The group that is on the screen, or whose conversation is. @param {State} state */
function shownGroup(state) {
  const { page, parts } = state.route;
  if (page === "people") return parts[0] === "group" ? parts[1] : undefined;
  return state.conversations.get(shownId(state) ?? "")?.group?.id;
}
