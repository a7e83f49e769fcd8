/** @import { Draft, Segment } from "../../types.js" */
/** @import { Mark } from "../../state/marked_text.js" */
import { shiftMarks, toSegments } from "../../state/marked_text.js";

/** From this part of the longest message on it is told how much room is left. */
const NEAR = 0.8;

/** What stands in a text field, and which pieces of it are mentions. The field is the browser's. */
export class WrittenText {
  text = "";
  /** @type {Mark[]} */ marks = [];
  /** @type {() => HTMLTextAreaElement | null} */ #field;
  /** What becomes a mention when the field says that it changed. @type {Mark | null} */ #coming = null;

  /** @param {() => HTMLTextAreaElement | null} field */
  constructor(field) {
    this.#field = field;
  }

  /** @param {Pick<Draft, "text" | "marks">} written */
  set({ text, marks }) {
    this.text = text;
    this.marks = marks ?? [];
    const field = this.#field();
    if (field && field.value !== text) field.value = text;
    this.fit();
  }

  /** Takes over what the user did to the field. */
  read() {
    const field = this.#field();
    if (!field) return;
    this.marks = shiftMarks(this.marks, this.text, field.value, field.selectionEnd);
    this.text = field.value;
    if (this.#coming) this.marks = [...this.marks, this.#coming].sort((a, b) => a.start - b.start);
    this.#coming = null;
    this.fit();
  }

  /** The field is as high as its text; the styles say how high it may become. */
  fit() {
    const field = this.#field();
    if (!field) return;
    field.style.blockSize = "auto";
    field.style.blockSize = `${field.scrollHeight}px`;
  }

  /**
   * Puts a piece in where the caret is, in a way that the browser's "undo" takes back.
   * @param {string} piece
   * @param {{start?: number, segment?: Segment, space?: boolean}} [options] `start`: from where on it takes the place
   *   of what was typed
   */
  insert(piece, { start, segment, space = false } = {}) {
    const field = this.#field();
    if (!field) return;
    field.focus();
    const from = start ?? field.selectionStart;
    field.setSelectionRange(from, field.selectionEnd);
    this.#coming = segment ? { start: from, end: from + piece.length, segment } : null;
    const whole = space ? `${piece} ` : piece;
    // The event `input` that comes of it is read like any other.
    if (!document.execCommand("insertText", false, whole)) {
      field.setRangeText(whole, from, field.selectionEnd, "end");
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }
  }

  /** Selects a whole mention before one letter of it is deleted. @returns {boolean} whether there is one */
  selectMarkBefore() {
    const field = this.#field();
    if (!field || field.selectionStart !== field.selectionEnd) return false;
    const mark = this.marks.find(({ end }) => end === field.selectionStart);
    if (mark) field.setSelectionRange(mark.start, mark.end);
    return mark !== undefined;
  }

  /**
   * How many bytes may still be written.
   * @param {number | undefined} most what the server takes
   * @returns {number | null} null as long as there is plenty of room
   */
  room(most) {
    // A character has at most six bytes in JSON; short texts need no counting.
    if (!most || this.text.length * 6 < most * NEAR) return null;
    const left = most - new TextEncoder().encode(JSON.stringify(this.segments())).length;
    return left < most * (1 - NEAR) ? left : null;
  }

  segments() {
    return toSegments(this.text, this.marks);
  }
}
