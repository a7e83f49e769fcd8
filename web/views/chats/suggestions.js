/** @import { Conversation, Segment, State } from "../../types.js" */
import { currentLanguage, t } from "../../i18n/index.js";
import { nameOf } from "../../state/conversations.js";
import { matcher } from "../../state/matching.js";
import { findEmoji } from "../../ui/emoji.js";

const SHOWN_MAX = 8;
/** An at sign that does not stand in a mail address, and what follows it up to the caret. */
const MENTION = /(?:^|[^A-Za-z0-9_.+-])@([^\s@]{0,40})$/u;
/** A colon at the beginning of a word, and at least two letters. */
const EMOJI = /(?:^|\s)[:：]([\p{L}\d_+-]{2,20})$/u;

/**
 * Something that can take the place of what was typed.
 * @typedef {object} Suggestion
 * @property {string} id
 * @property {string} piece what is written
 * @property {Segment} [segment] what it stands for
 * @property {string} label
 * @property {string} [hint]
 * @property {import("../../types.js").User} [user]
 */

/**
 * What may be meant by what stands before the caret.
 * @param {State} state
 * @param {Conversation} conversation
 * @param {string} before
 * @returns {Promise<{start: number, items: Suggestion[]} | null>}
 */
export async function suggest(state, conversation, before) {
  const mention = conversation.kind === "group" ? MENTION.exec(before)?.[1] : undefined;
  if (mention !== undefined) {
    const items = members(state, conversation, mention);
    return items.length ? { start: before.length - mention.length - 1, items } : null;
  }
  const word = EMOJI.exec(before)?.[1];
  if (!word) return null;
  const found = await findEmoji(currentLanguage(), word.replaceAll("_", " "), SHOWN_MAX);
  const items = found.map(([emoji, name]) => ({ id: emoji, piece: emoji, label: `${emoji}  ${name}` }));
  return items.length ? { start: before.length - word.length - 1, items } : null;
}

/** @param {State} state @param {Conversation} conversation @param {string} query @returns {Suggestion[]} */
function members(state, { group }, query) {
  const fits = matcher(query);
  /** @type {Suggestion[]} */
  const items = [];
  const all = t("line.all");
  if (fits(all, "all")) {
    items.push({ id: "all", piece: `@${all}`, segment: { type: "mention", user_id: "all" }, label: all, hint: t("compose.mention_all") });
  }
  for (const { user, nickname } of state.members.get(group?.id ?? "") ?? []) {
    if (items.length >= SHOWN_MAX) break;
    if (user.id === state.me?.id) continue;
    const name = nameOf(state, user.id, group?.id);
    if (!fits(name, nickname, user.nickname, user.username)) continue;
    const hint = user.username === name ? undefined : user.username;
    items.push({ id: user.id, piece: `@${name}`, segment: { type: "mention", user_id: user.id }, label: name, hint, user });
  }
  return items;
}
