import assert from "node:assert/strict";
import test from "node:test";
import { fromSegments, shiftMarks, toSegments } from "../state/marked_text.js";

const ann = { type: "mention", user_id: "7" };
/** "hi @Ann and": the mention goes from 3 to 7. */
const TEXT = "hi @Ann and";
const MARKS = [{ start: 3, end: 7, segment: ann }];

/** The marked pieces after the user changed the text. */
function pieces(before, marks, after, caret) {
  return shiftMarks(marks, before, after, caret).map(({ start, end }) => after.slice(start, end));
}

test("a mention moves with the text before it", () => {
  assert.deepEqual(pieces(TEXT, MARKS, `oh, ${TEXT}`, 4), ["@Ann"]);
  assert.deepEqual(pieces(TEXT, MARKS, TEXT.slice(3), 0), ["@Ann"]);
  assert.deepEqual(pieces(TEXT, MARKS, `${TEXT}rew`, TEXT.length + 3), ["@Ann"]);
});

test("text at its edges leaves it alone", () => {
  assert.deepEqual(pieces(TEXT, MARKS, "hi x@Ann and", 4), ["@Ann"]);
  assert.deepEqual(pieces(TEXT, MARKS, "hi @Annx and", 8), ["@Ann"]);
});

test("it is text again when it was changed inside", () => {
  assert.deepEqual(pieces(TEXT, MARKS, "hi @An and", 6), []);
  assert.deepEqual(pieces(TEXT, MARKS, "hi @Axnn and", 6), []);
  assert.deepEqual(pieces(TEXT, MARKS, "hi  and", 3), []);
  assert.deepEqual(pieces(TEXT, MARKS, "", 0), []);
});

test("the caret tells which of equal letters was typed", () => {
  const before = "@Ann@Ann";
  const marks = [{ start: 0, end: 4, segment: ann }, { start: 4, end: 8, segment: ann }];
  // Both of these make "@Ann@Ann@Ann" of it.
  assert.deepEqual(shiftMarks(marks, before, "@Ann@Ann@Ann", 4).map(({ start }) => start), [4, 8]);
  assert.deepEqual(shiftMarks(marks, before, "@Ann@Ann@Ann", 12).map(({ start }) => start), [0, 4]);
});

test("what is sent has the mentions in their places, and no space at its ends", () => {
  assert.deepEqual(toSegments(`  ${TEXT} `, [{ start: 5, end: 9, segment: ann }]), [
    { type: "text", text: "hi " },
    ann,
    { type: "text", text: " and" },
  ]);
  assert.deepEqual(toSegments(" \n ", []), []);
  assert.deepEqual(toSegments("@Ann ", [{ start: 0, end: 4, segment: ann }]), [ann]);
});

test("editing brings back what was sent", () => {
  const segments = [{ type: "text", text: "hi " }, ann, { type: "text", text: " and" }];
  const written = fromSegments(segments, () => "@Ann");
  assert.deepEqual(written, { text: TEXT, marks: MARKS });
  assert.deepEqual(toSegments(written.text, written.marks), segments);
  assert.equal(fromSegments([{ type: "nudge" }], () => null).text, "");
});
