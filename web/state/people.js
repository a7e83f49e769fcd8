/** @import { User } from "../types.js" */
/** @import { Api } from "../net/api.js" */
/** @import { PresenceLoader } from "./presence.js" */
/** @import { Store } from "./store.js" */
import { freshId } from "../net/ids.js";

/** Changes that come in a row are loaded once. */
const SETTLE_MS = 150;

/** Contacts, requests, blocks, and the profiles of everybody that is shown. */
export class People {
  /** @type {Set<string>} */ #asked = new Set();
  /** @type {number | undefined} */ #soon;

  /** @param {Store} store @param {Api} api @param {PresenceLoader} presence */
  constructor(store, api, presence) {
    this.store = store;
    this.api = api;
    this.presence = presence;
  }

  async load() {
    const [contacts, requests, lists, blocks] = await Promise.all([
      this.api.contacts(),
      this.api.requests(),
      this.api.contactLists(),
      this.api.blocks(),
    ]);
    this.store.set({
      contacts: new Map(contacts.items.map((/** @type {any} */ contact) => [contact.user.id, contact])),
      contactsLoaded: true,
      requests: requests.items,
      contactLists: lists.items.map((/** @type {any} */ list) => list.name),
      blocks: new Map(blocks.items.map((/** @type {any} */ { user }) => [user.id, user])),
    });
    this.presence.retry();
  }

  /** Something of it changed on the server. */
  changed() {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => void this.load().catch(() => {}), SETTLE_MS);
  }

  /** Makes a profile known that a view needs; asks once. @param {string} id */
  need(id) {
    const { state } = this.store;
    if (id === "0" || id === "all" || state.me?.id === id || state.users.has(id) || state.contacts.has(id)) return;
    if (this.#asked.has(id)) return;
    this.#asked.add(id);
    void this.loadUser(id);
  }

  /** @param {string} id @returns {Promise<User | null>} */
  async loadUser(id) {
    try {
      const user = await this.api.user(id);
      this.keep(user);
      return user;
    } catch {
      this.#asked.delete(id);
      return null;
    }
  }

  /** @param {User} user */
  keep(user) {
    const { state } = this.store;
    this.store.put("users", user.id, user);
    const contact = state.contacts.get(user.id);
    if (contact) this.store.put("contacts", user.id, { ...contact, user });
    if (state.me?.id === user.id) this.store.set({ me: { ...state.me, ...user } });
    for (const conversation of state.conversations.values()) {
      if (conversation.peer?.id === user.id) {
        this.store.put("conversations", conversation.id, { ...conversation, peer: user });
      }
    }
  }

  /** Changes the own profile. @param {object} change */
  async changeMe(change) {
    const me = await this.api.changeMe(change);
    // The answer leaves out what is empty, and what is no part of a profile.
    this.store.set({ me: { ...me, admin: this.store.state.me?.admin } });
  }

  /** @param {string} userId @param {string} note */
  async request(userId, note) {
    await this.api.requestContact({ user_id: userId, note: note || undefined, client_id: freshId() });
    await this.load();
  }

  /** @param {string} id @param {"accept" | "decline" | "withdraw"} answer */
  async answer(id, answer) {
    if (answer === "accept") await this.api.acceptRequest(id);
    else if (answer === "decline") await this.api.declineRequest(id);
    else await this.api.withdrawRequest(id);
    await this.load();
  }

  /** @param {string} userId @param {{remark?: string, list?: string}} change */
  async change(userId, change) {
    await this.api.changeContact(userId, change);
    await this.load();
  }

  /** @param {string} userId */
  async remove(userId) {
    await this.api.removeContact(userId);
    await this.load();
  }

  /** @param {string} userId @param {boolean} blocked */
  async block(userId, blocked) {
    if (blocked) await this.api.block(userId);
    else await this.api.unblock(userId);
    await this.load();
  }
}
