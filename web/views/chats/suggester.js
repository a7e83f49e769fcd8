/** @import { Conversation } from "../../types.js" */
/** @import { Suggestion } from "./suggestions.js" */
/** @import { WrittenText } from "./written_text.js" */
import { app } from "../../state/app.js";
import { suggest } from "./suggestions.js";

/** What is suggested for a text while it is written, and which of it is chosen. */
export class Suggester {
  /** @type {Suggestion[]} */ items = [];
  chosen = 0;
  /** Where what is suggested would begin. */ #start = 0;
  /** Counts the questions: only the last one's answer is shown. */ #asked = 0;

  /** @param {WrittenText} written @param {() => void} changed */
  constructor(written, changed) {
    this.written = written;
    this.changed = changed;
  }

  /** Looks at what stands before the caret. @param {Conversation | undefined} conversation @param {HTMLTextAreaElement} field */
  async look(conversation, field) {
    const asked = ++this.#asked;
    const before = field.selectionStart === field.selectionEnd ? field.value.slice(0, field.selectionStart) : "";
    const inside = this.written.marks.some(({ start, end }) => before.length > start && before.length <= end);
    const found = before && conversation && !inside ? await suggest(app.store.state, conversation, before) : null;
    if (asked !== this.#asked) return;
    this.#start = found?.start ?? 0;
    this.#show(found?.items ?? []);
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was for the list */
  key(event) {
    const { length } = this.items;
    if (length === 0) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const item = this.items[this.chosen];
    if (step) this.chosen = (this.chosen + step + length) % length;
    else if ((event.key === "Enter" || event.key === "Tab") && item && !event.shiftKey) this.choose(item);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    this.changed();
    return true;
  }

  /** Writes it in the place of what was typed. @param {Suggestion} item */
  choose = ({ piece, segment }) => {
    this.written.insert(piece, { start: this.#start, segment, space: segment !== undefined });
    this.close();
  };

  close = () => {
    this.#asked += 1;
    this.#show([]);
  };

  /** @param {Suggestion[]} items */
  #show(items) {
    if (items.length === 0 && this.items.length === 0) return;
    this.items = items;
    this.chosen = 0;
    this.changed();
  }
}
