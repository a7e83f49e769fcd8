/** @import { Segment } from "../types.js" */

/**
 * Text that is being written, in which some pieces stand for something else: `@Ann` for a mention of
 * user 7. A mark says from where to where its piece goes.
 * @typedef {{start: number, end: number, segment: Segment}} Mark
 */

/**
 * Where the marks are after the text was changed. A mark whose piece was changed inside is one no
 * more.
 * @param {Mark[]} marks
 * @param {string} before
 * @param {string} after
 * @param {number} caret where the caret stands after the change, which is its end
 * @returns {Mark[]}
 */
export function shiftMarks(marks, before, after, caret) {
  if (marks.length === 0 || before === after) return marks;
  const { start, removed, added } = difference(before, after, caret);
  const by = added - removed;
  /** @type {Mark[]} */
  const kept = [];
  for (const mark of marks) {
    if (mark.end <= start) kept.push(mark);
    else if (mark.start >= start + removed) kept.push({ ...mark, start: mark.start + by, end: mark.end + by });
  }
  return kept;
}

/**
 * The one stretch that differs. The caret tells where it ends, which the texts alone do not when
 * equal letters stand beside each other.
 * @param {string} before @param {string} after @param {number} caret
 */
function difference(before, after, caret) {
  let behind = after.length - caret;
  if (behind > before.length || before.slice(before.length - behind) !== after.slice(caret)) {
    behind = 0;
    const most = Math.min(before.length, after.length);
    while (behind < most && before.at(-1 - behind) === after.at(-1 - behind)) behind += 1;
  }
  const most = Math.min(before.length, after.length) - behind;
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  return { start, removed: before.length - behind - start, added: after.length - behind - start };
}

/**
 * Puts a piece in, with a mark if it stands for something.
 * @param {{text: string, marks: Mark[]}} now
 * @param {number} start @param {number} end what it takes the place of
 * @param {string} piece
 * @param {Segment} [segment]
 * @returns {{text: string, marks: Mark[]}}
 */
export function insertPiece({ text, marks }, start, end, piece, segment) {
  const after = text.slice(0, start) + piece + text.slice(end);
  const shifted = shiftMarks(marks, text, after, start + piece.length);
  if (!segment) return { text: after, marks: shifted };
  const mark = { start, end: start + piece.length, segment };
  return { text: after, marks: [...shifted, mark].sort((a, b) => a.start - b.start) };
}

/**
 * What is sent: without space at both ends, and nothing for an empty text.
 * @param {string} text @param {Mark[]} marks
 * @returns {Segment[]}
 */
export function toSegments(text, marks) {
  /** @type {Segment[]} */
  const segments = [];
  let at = 0;
  for (const { start, end, segment } of marks) {
    if (start > at) segments.push({ type: "text", text: text.slice(at, start) });
    segments.push(segment);
    at = end;
  }
  if (at < text.length) segments.push({ type: "text", text: text.slice(at) });
  const first = segments[0];
  if (first?.type === "text") segments[0] = { type: "text", text: first.text.trimStart() };
  const last = segments.at(-1);
  if (last?.type === "text") segments[segments.length - 1] = { type: "text", text: last.text.trimEnd() };
  return segments.filter((segment) => segment.type !== "text" || segment.text !== "");
}

/**
 * The other way, for editing: what is no text and has no piece of its own is left out.
 * @param {Segment[]} segments
 * @param {(segment: Segment) => string | null} piece how a segment is written; null: not at all
 * @returns {{text: string, marks: Mark[]}}
 */
export function fromSegments(segments, piece) {
  let text = "";
  /** @type {Mark[]} */
  const marks = [];
  for (const segment of segments) {
    if (segment.type === "text") {
      text += segment.text;
      continue;
    }
    const written = piece(segment);
    if (written === null) continue;
    marks.push({ start: text.length, end: text.length + written.length, segment });
    text += written;
  }
  return { text, marks };
}
