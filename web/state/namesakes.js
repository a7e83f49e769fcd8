/** @import { Contact } from "../types.js" */

/** Whose each name is, for contacts as they were last; null if it is several people's. @type {WeakMap<Map<string, Contact>, Map<string, string | null>>} */
const known = new WeakMap();

/**
 * A name as it is shown: with the user name if a contact who is somebody else is called the same,
 * so that nobody writes to the wrong one, and a stranger does not pass for a friend.
 * @param {Map<string, Contact>} contacts
 * @param {{id: string, username?: string}} user
 * @param {string} name
 */
export function toldApart(contacts, { id, username }, name) {
  const holder = holders(contacts).get(folded(name));
  return holder === undefined || holder === id || !username ? name : `${name} (@${username})`;
}

/** A name without what `toldApart` may have put behind it. @param {string} name */
export function nameAlone(name) {
  return name.replace(/ \(@[^()]*\)$/, "");
}

/** What one calls a contact, whoever else is called so. @param {Contact} contact */
export function calledBy({ user, remark }) {
  return remark || user.nickname || user.username;
}

/** @param {Map<string, Contact>} contacts */
function holders(contacts) {
  let found = known.get(contacts);
  if (!found) {
    known.set(contacts, (found = new Map()));
    for (const contact of contacts.values()) {
      const name = folded(calledBy(contact));
      found.set(name, found.has(name) ? null : contact.user.id);
    }
  }
  return found;
}

/** @param {string} name */
function folded(name) {
  return name.normalize("NFKC").trim().toLocaleLowerCase();
}
