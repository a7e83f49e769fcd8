/** @import { Account } from "../types.js" */
import { freshId } from "../net/ids.js";

const ACCOUNTS = "myim.accounts";
const NEWEST = "myim.account";
const DEVICE = "myim.device";

/**
 * Who is signed in in this browser. Each tab is one account's: it remembers whose, so that two
 * accounts in two tabs stay apart. A new tab begins with the account that was used last.
 */

/** @returns {Account[]} */
export function accounts() {
  try {
    return JSON.parse(localStorage.getItem(ACCOUNTS) ?? "[]");
  } catch {
    return [];
  }
}

/** @returns {Account | null} whose tab this is */
export function currentAccount() {
  // A notification opens a tab of the account that it is for.
  const asked = new URLSearchParams(location.search).get("account");
  const wanted = sessionStorage.getItem(NEWEST) ?? asked ?? localStorage.getItem(NEWEST);
  return accounts().find((account) => account.user_id === wanted) ?? null;
}

/** Makes this the account of this tab. @param {Account} account */
export function keepAccount(account) {
  const others = accounts().filter((other) => other.user_id !== account.user_id);
  localStorage.setItem(ACCOUNTS, JSON.stringify([...others, account]));
  useAccount(account.user_id);
}

/** @param {string} userId */
export function useAccount(userId) {
  stayWith(userId);
  localStorage.setItem(NEWEST, userId);
}

/** This tab is the account's from now on, whoever signs in in another one. @param {string} userId */
export function stayWith(userId) {
  sessionStorage.setItem(NEWEST, userId);
}

/** Whether nobody signed in anew to the same account since. @param {Account} account */
export function isNewest({ user_id, token }) {
  const kept = accounts().find((other) => other.user_id === user_id);
  return !kept || kept.token === token;
}

/** Forgets a sign-in, and not a newer one to the same account. @param {Account} account */
export function forgetAccount(account) {
  if (!isNewest(account)) return;
  const others = accounts().filter((other) => other.user_id !== account.user_id);
  localStorage.setItem(ACCOUNTS, JSON.stringify(others));
  sessionStorage.removeItem(NEWEST);
  if (localStorage.getItem(NEWEST) === account.user_id) {
    const next = others.at(-1);
    if (next) localStorage.setItem(NEWEST, next.user_id);
    else localStorage.removeItem(NEWEST);
  }
}

/** Another tab opens with the sign-in page instead of the last account. */
export function useNoAccount() {
  sessionStorage.setItem(NEWEST, "");
}

/** What the server knows this browser by: delivery goes on where it was after signing in again. */
export function deviceId() {
  let id = localStorage.getItem(DEVICE);
  if (!id) {
    id = freshId();
    localStorage.setItem(DEVICE, id);
  }
  return id;
}
