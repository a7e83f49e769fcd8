/** @import { User } from "../types.js" */
/** @import { Api } from "../net/api.js" */
/** @import { PresenceLoader } from "./presence.js" */
/** @import { Store } from "./store.js" */
import { freshId } from "../net/ids.js";
import { Problem } from "../net/problem.js";
import { Retry } from "./retry.js";

/** Changes that come in a row are loaded once. */
const SETTLE_MS = 150;

/** Contacts, requests, blocks, and the profiles of everybody that is shown. */
export class People {
  /** @type {Set<string>} */ #asked = new Set();
  #soon = new Retry(SETTLE_MS, () => this.load());
  /** Whose profiles are other ones now. @type {Set<string>} */ #old = new Set();
  #oldSoon = new Retry(SETTLE_MS, () => this.#loadOld());
  /** How often everything was asked for, and which of the answers is shown. */
  #runs = 0;
  #shown = 0;

  /**
   * @param {Store} store
   * @param {Api} api
   * @param {PresenceLoader} presence
   * @param {() => void} changedHere the account's other tabs are to load it too: the server does not
   *   tell a device what it did itself
   */
  constructor(store, api, presence, changedHere) {
    this.store = store;
    this.api = api;
    this.presence = presence;
    this.changedHere = changedHere;
  }

  async load() {
    const run = (this.#runs += 1);
    const [contacts, requests, lists, blocks] = await Promise.all([
      this.api.contacts(),
      this.api.requests(),
      this.api.contactLists(),
      this.api.blocks(),
    ]);
    // What was asked for later is newer, whichever came first.
    if (run < this.#shown) return;
    this.#shown = run;
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
    this.#soon.settled();
  }

  /** Somebody's profile is another one now. @param {string} id */
  changedProfile(id) {
    this.#old.add(id);
    this.#oldSoon.soon();
  }

  stop() {
    this.#soon.stop();
    this.#oldSoon.stop();
  }

  async #loadOld() {
    const ids = [...this.#old];
    this.#old.clear();
    const load = async (/** @type {string} */ id) => {
      try {
        this.keep(await this.api.user(id));
      } catch (error) {
        if (Problem.of(error).passes) this.#old.add(id);
        throw error;
      }
    };
    const done = await Promise.allSettled(ids.map(load));
    const failed = done.find((one) => one.status === "rejected" && Problem.of(one.reason).passes);
    if (failed?.status === "rejected") throw failed.reason;
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
    // What is empty is left out, and whether one is an administrator is no part of a profile.
    if (state.me?.id === user.id) this.store.set({ me: { ...user, admin: state.me.admin } });
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
  request(userId, note) {
    return this.#do(() => this.api.requestContact({ user_id: userId, note: note || undefined, client_id: freshId() }));
  }

  /** @param {string} id @param {"accept" | "decline" | "withdraw"} answer */
  answer(id, answer) {
    if (answer === "accept") return this.#do(() => this.api.acceptRequest(id));
    if (answer === "decline") return this.#do(() => this.api.declineRequest(id));
    return this.#do(() => this.api.withdrawRequest(id));
  }

  /** @param {string} userId @param {{remark?: string, list?: string}} change */
  change(userId, change) {
    return this.#do(() => this.api.changeContact(userId, change));
  }

  /** @param {string} userId */
  async remove(userId) {
    await this.#do(() => this.api.removeContact(userId));
    // Where somebody is, is told to contacts only.
    this.store.put("presence", userId, undefined);
  }

  /** @param {string} userId @param {boolean} blocked */
  block(userId, blocked) {
    return this.#do(() => (blocked ? this.api.block(userId) : this.api.unblock(userId)));
  }

  /** @param {string} name */
  addList(name) {
    return this.#do(() => this.api.addContactList(name));
  }

  /** @param {string} name @param {string} to */
  renameList(name, to) {
    return this.#do(() => this.api.renameContactList(name, to));
  }

  /** @param {string} name */
  removeList(name) {
    return this.#do(() => this.api.removeContactList(name));
  }

  /** @param {() => Promise<unknown>} work */
  async #do(work) {
    try {
      await work();
    } finally {
      // Also what was refused may mean that it is another way than was shown.
      await this.load().catch(() => {});
      this.changedHere();
    }
  }
}
