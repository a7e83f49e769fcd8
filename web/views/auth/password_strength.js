import { COMMON } from "./common_passwords.js";

/**
 * @typedef {object} Strength
 * @property {0 | 1 | 2 | 3 | 4} score
 * @property {"short" | "common" | "name" | "pattern" | "plain" | ""} reason what would make it better
 */

/** How many bits of guessing each score begins with. */
const BITS = [28, 40, 55, 72];
/** What a letter of a word is worth. */
const WORD_BITS = 3;
/** Rows of keys and orders that people walk along. */
const WALKS = ["abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb"];

/**
 * How long somebody who knows how people choose passwords would have to guess. An estimate and no
 * promise: it counts characters that are not foreseen by the ones before them.
 * @param {string} password
 * @param {string[]} words what belongs to the user: names
 * @param {number} minLength
 * @returns {Strength}
 */
export function strength(password, words, minLength) {
  const chars = [...password];
  if (chars.length < minLength) return { score: 0, reason: "short" };
  const plain = unmasked(password);
  if (COMMON.has(password.toLowerCase()) || COMMON.has(plain) || COMMON.has(plain.replace(/[^a-z]+$/, ""))) return { score: 0, reason: "common" };
  const own = words.map(unmasked).filter((word) => word.length >= 3);
  if (own.includes(plain)) return { score: 0, reason: "name" };
  let rest = password;
  const named = own.find((word) => plain.includes(word));
  if (named) rest = cut(rest, plain.indexOf(named), named.length);
  const known = named ? undefined : longestCommon(plain);
  if (known) rest = cut(rest, plain.indexOf(known), known.length);
  const { bits: fresh, share } = unforeseen(rest);
  const bits = fresh + (named || known ? 8 : 0);
  const score = /** @type {Strength["score"]} */ (BITS.filter((limit) => bits >= limit).length);
  if (score >= 3) return { score, reason: "" };
  if (named) return { score, reason: "name" };
  if (known) return { score, reason: "common" };
  return { score, reason: share < 0.7 ? "pattern" : "plain" };
}

/** Letters that were masked as digits and signs, as they were meant. @param {string} text */
function unmasked(text) {
  const meant = /** @type {Record<string, string>} */ ({ 0: "o", 1: "i", 3: "e", 4: "a", 5: "s", 7: "t", "@": "a", $: "s", "!": "i" });
  return text.toLowerCase().replace(/[013457@$!]/g, (sign) => meant[sign]);
}

/** @param {string} plain */
function longestCommon(plain) {
  let found = "";
  for (const word of COMMON) if (word.length > found.length && word.length >= 4 && plain.includes(unmasked(word))) found = unmasked(word);
  return found || undefined;
}

/** @param {string} text @param {number} from @param {number} length */
function cut(text, from, length) {
  return text.slice(0, from) + text.slice(from + length);
}

/**
 * What characters are worth that are not the same as, next to, or a repeat of what was before.
 * @param {string} text
 */
function unforeseen(text) {
  const low = [...text.toLowerCase()];
  const each = Math.log2(alphabet(text));
  const inWord = wordLike(text.toLowerCase());
  let bits = 0;
  let fresh = 0;
  for (let at = 0; at < low.length; at += 1) {
    const before = low[at - 1];
    const foreseen = before !== undefined && (before === low[at] || walks(low, at) || repeats(low, at));
    if (!foreseen) fresh += 1;
    bits += (inWord[at] ? Math.min(each, WORD_BITS) : each) * (foreseen ? 0.25 : 1);
  }
  return { bits, share: low.length ? fresh / low.length : 0 };
}

/** Which characters stand in what looks like a word. @param {string} text */
function wordLike(text) {
  const found = Array(text.length).fill(false);
  for (const { 0: run, index } of text.matchAll(/[a-z]{4,}/g)) {
    const vowels = run.replace(/[^aeiouy]/g, "").length / run.length;
    if (vowels >= 0.25 && vowels <= 0.65) found.fill(true, index, index + run.length);
  }
  return found;
}

/** Goes on as the two before it do. @param {string[]} text @param {number} at */
function walks(text, at) {
  if (at < 2) return false;
  const three = text.slice(at - 2, at + 1);
  return WALKS.some((walk) => walk.includes(three.join("")) || walk.includes(three.toReversed().join("")));
}

/** This character and the one before stood beside each other earlier. @param {string[]} text @param {number} at */
function repeats(text, at) {
  return text.slice(0, at - 1).join("").includes(text[at - 1] + text[at]);
}

/** From how many characters each was chosen. @param {string} text */
function alphabet(text) {
  let size = 2;
  if (/[a-z]/.test(text)) size += 26;
  if (/[A-Z]/.test(text)) size += 26;
  if (/[0-9]/.test(text)) size += 10;
  if (/[^\p{L}\p{N}]/u.test(text)) size += 20;
  // Of a script with many characters people use few.
  if (/[^\x00-\x7f]/.test(text)) size += 200;
  return size;
}
