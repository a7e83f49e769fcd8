import { html } from "../vendor/lit.js";

/** What stands before the first word that was found. */
const BEFORE_CHARS = 30;

/**
 * A text in which what was looked for is marked, from shortly before the first such word on.
 * @param {string} text
 * @param {string} query
 */
export function marked(text, query) {
  const words = query.split(/\s+/).filter(Boolean).map(escaped);
  if (words.length === 0) return text;
  const pattern = new RegExp(`(${words.join("|")})`, "giu");
  const first = text.search(pattern);
  // Not in the middle of a character.
  const start = first > BEFORE_CHARS ? first - [...text.slice(first - BEFORE_CHARS, first)].slice(1).join("").length : 0;
  const pieces = text.slice(start).split(pattern);
  // `split` gives what is between the words and the words in turn.
  return html`${start ? "…" : ""}${pieces.map((piece, at) => (at % 2 ? html`<mark>${piece}</mark>` : piece))}`;
}

/** @param {string} word */
function escaped(word) {
  return word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
