/** @import { Account } from "../types.js" */
/** @import { Client } from "./client.js" */
import { makeApi } from "../net/api.js";
import { Backoff } from "../net/backoff.js";
import { Http } from "../net/http.js";
import { Problem } from "../net/problem.js";
import { accounts, currentAccount, deviceId, forgetAccount, isNewest, keepAccount, stayWith, useAccount } from "./accounts.js";
import { initialState } from "./initial.js";
import { oncePerFrame } from "./pace.js";
import { savePreferences } from "./preferences.js";
import { Store } from "./store.js";

/**
 * The one application of this page: its state, and the account at work if somebody is signed in.
 * Views read `app.store.state` and ask `app.client` to do things.
 */
export class App {
  store = new Store(initialState(), oncePerFrame());
  /** @type {Client | null} */ client = null;
  /** For what needs no account. */
  guest = makeApi(new Http(() => null, () => {}));
  /** @type {Set<() => void>} */ #listeners = new Set();
  /** Brings in the class of clients. @type {() => Promise<typeof Client>} */ #load = async () => (await import("./client.js")).Client;
  /** @type {typeof Client | null} */ #Client = null;
  /** Who is to be at work. @type {Account | null} */ #account = null;

  /**
   * Goes on with the account of this tab, if there is one.
   * @param {() => Promise<typeof Client>} [load] brings in what an account needs
   */
  async start(load = this.#load) {
    this.#load = load;
    const account = currentAccount();
    if (account) await this.#begin(account);
    else void this.#loadServer();
  }

  /** Hears that somebody signed in or out. @param {() => void} listener */
  onAccount(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What the sign-in page shows of the server; asked until it answers or somebody is signed in. */
  async #loadServer() {
    const backoff = new Backoff();
    while (!this.client && !this.store.state.server) {
      try {
        this.store.set({ server: await this.guest.server() });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, backoff.next()));
      }
    }
  }

  /** @param {string} username @param {string} password */
  async signIn(username, password) {
    const device = { kind: "web", name: browserName(), id: deviceId() };
    const { token, session_id, user } = await this.guest.signIn({ username, password, device });
    const account = { user_id: user.id, username: user.username, token, session_id };
    keepAccount(account);
    await this.#begin(account);
  }

  /** @param {{username: string, password: string, nickname?: string, invite?: string}} account */
  async signUp(account) {
    await this.guest.register(account);
    await this.signIn(account.username, account.password);
  }

  /** Accounts of this browser that are signed in, for the sign-in page. */
  accounts() {
    return accounts();
  }

  /** @param {Account} account */
  switchTo(account) {
    useAccount(account.user_id);
    void this.#begin(account);
  }

  /** Signs this browser out, and forgets what it kept of the account. */
  async signOut() {
    const { client } = this;
    if (!client) return;
    const { account } = client;
    client.link.endOthers("signed_out");
    client.stop();
    if (isNewest(account)) client.database.destroy();
    // The client hears nothing any more, so that the end of the session is no surprise to it.
    const told = await makeApi(new Http(() => account.token, () => {})).signOut().then(
      () => true,
      (error) => Problem.of(error).code === "unauthenticated",
    );
    if (this.client === client) this.#end(told ? "signed_out" : "signed_out_here");
  }

  /** @param {Partial<import("../types.js").Preferences>} change */
  prefer(change) {
    const preferences = { ...this.store.state.preferences, ...change };
    savePreferences(preferences);
    this.store.set({ preferences });
  }

  /** @param {Account} account */
  async #begin(account) {
    this.#account = account;
    stayWith(account.user_id);
    const Client = this.#Client ?? (await this.#bring());
    // Somebody may have chosen another account meanwhile.
    if (!Client || this.#account !== account) return;
    this.client?.stop();
    const { route, preferences, server } = this.store.state;
    this.store.set({ ...initialState(), route, preferences, server });
    this.client = new Client(account, this.store, (code) => this.#end(code));
    this.#tell();
  }

  /** What an account needs is loaded once; if it does not come, the page says so. */
  async #bring() {
    try {
      return (this.#Client = await this.#load());
    } catch {
      this.store.set({ notLoaded: true });
      return null;
    }
  }

  /** @param {string} code why there is no sign-in any more */
  #end(code) {
    const account = this.client?.account;
    this.client?.stop();
    this.client = null;
    // What was typed and not sent stays for the next sign-in of the same account.
    if (account && code !== "replaced") forgetAccount(account);
    const { route, preferences, server } = this.store.state;
    this.store.set({ ...initialState(), route, preferences, server, endedBy: code });
    void this.#loadServer();
    this.#tell();
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}

/** What the list of devices calls this one. */
function browserName() {
  const agent = navigator.userAgent;
  const browser = ["Edg/", "OPR/", "Firefox/", "Chrome/", "Safari/"].find((name) => agent.includes(name)) ?? "";
  const names = /** @type {Record<string, string>} */ ({ "Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari" });
  const system = ["Windows", "Android", "iPhone", "iPad", "Mac OS", "Linux"].find((name) => agent.includes(name));
  return [names[browser] ?? "Browser", system].filter(Boolean).join(", ");
}

export const app = new App();
