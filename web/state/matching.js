/** @import { Contact, Conversation, State } from "../types.js" */
import { titleOf } from "./conversations.js";
import { calledBy, toldApart } from "./namesakes.js";
import { initials } from "./pinyin.js";

/**
 * Tells whether texts together have every word that is looked for, whatever the case and the accents.
 * A Chinese name is found by the letters that its syllables begin with, too.
 * @param {string} query
 * @returns {(...texts: (string | undefined)[]) => boolean}
 */
export function matcher(query) {
  const words = fold(query).split(/\s+/).filter(Boolean);
  return (...texts) => {
    const all = fold(texts.filter(Boolean).join(" "));
    return words.every((word) => all.includes(word) || (/^[a-z]+$/.test(word) && initials(all).includes(word)));
  };
}

/** @param {string} text */
function fold(text) {
  return text.normalize("NFKD").replace(/\p{Mn}/gu, "").toLocaleLowerCase();
}

/**
 * Contacts of which a name or the number has the words, in the order of the alphabet.
 * @param {State} state
 * @param {string} query
 * @param {string} language
 * @returns {Contact[]}
 */
export function findContacts(state, query, language) {
  const fits = matcher(query);
  return byName(state.contacts, language).filter(({ user, remark }) => fits(remark, user.nickname, user.username, user.id));
}

/** Sorting thousands of names takes its time: what was sorted last is kept. */
let last = { contacts: /** @type {Map<string, Contact>} */ (new Map()), language: "", sorted: /** @type {Contact[]} */ ([]) };

/**
 * Contacts by their names, as the language sorts them.
 * @param {Map<string, Contact>} contacts
 * @param {string} language
 */
export function byName(contacts, language) {
  if (last.contacts !== contacts || last.language !== language) {
    const { compare } = new Intl.Collator(language, { numeric: true });
    const sorted = [...contacts.values()].sort((a, b) => compare(calledBy(a), calledBy(b)));
    last = { contacts, language, sorted };
  }
  return last.sorted;
}

/** A contact as shown among the others. @param {State} state @param {Contact} contact */
export function contactName(state, contact) {
  return toldApart(state.contacts, contact.user, calledBy(contact));
}

/**
 * Conversations whose name has the words, the newest activity first; also hidden ones.
 * @param {State} state
 * @param {string} query
 * @returns {Conversation[]}
 */
export function findConversations(state, query) {
  const fits = matcher(query);
  return [...state.conversations.values()]
    .filter((one) => fits(titleOf(state, one), one.peer?.nickname, one.peer?.username))
    .sort((a, b) => (a.active_at < b.active_at ? 1 : a.active_at > b.active_at ? -1 : 0));
}
