/** How long a row that was jumped to looks different. */
const MARKED_MS = 2_500;
/** What in a row can have the focus. */
const INNER = 'a[href], button, input, audio, video, [tabindex="0"]';

/**
 * One message at a time can be reached with Tab, and then what is in it; the arrow keys, Home and End
 * move from one to another.
 */
export class RowFocus {
  /** @type {HTMLElement | null} */ #current = null;

  /** @param {HTMLElement} list has an element of class `message-edge-focus` before and after its rows */
  constructor(list) {
    this.list = list;
  }

  /** After the rows changed: there is one that can be reached. */
  keep() {
    if (this.#current?.isConnected) return;
    this.#set(this.#rows().at(-1) ?? null);
  }

  /** Something in a row was focused. @param {FocusEvent} event */
  entered = (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const row = /** @type {HTMLElement | null} */ (target.closest(".message, .notice-line"));
    const from = /** @type {Node | null} */ (event.relatedTarget);
    // Tab comes to the first thing that can have the focus, which is in any row.
    const strayed = row !== this.#current && target !== row && !this.list.contains(from) && target.matches(":focus-visible");
    if (strayed) this.#current?.focus();
    else this.#set(row);
  };

  /** @param {KeyboardEvent} event @returns {boolean} whether it was one for this */
  key(event) {
    const row = this.#current;
    const target = /** @type {HTMLElement} */ (event.target);
    if (!row?.contains(target) || event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "Tab") return this.#leave(row, target, event.shiftKey);
    if (target !== row) return false;
    const rows = this.#rows();
    const now = rows.indexOf(row);
    /** @type {Record<string, number>} */
    const moves = { ArrowUp: now - 1, ArrowDown: now + 1, Home: 0, End: rows.length - 1 };
    const next = moves[event.key];
    if (next === undefined) return false;
    event.preventDefault();
    rows[Math.max(0, next)]?.focus();
    return true;
  }

  /** Shows which row is meant. @param {HTMLElement} row @param {boolean} focus */
  mark(row, focus) {
    this.list.querySelector("[data-found]")?.removeAttribute("data-found");
    row.dataset.found = "";
    setTimeout(() => delete row.dataset.found, MARKED_MS);
    this.#set(row);
    if (focus) row.focus({ preventScroll: true });
  }

  /**
   * Tab goes on inside of the row, and from its end out of the list: from an edge of the list the
   * browser finds what comes next.
   * @param {HTMLElement} row @param {HTMLElement} target @param {boolean} back
   */
  #leave(row, target, back) {
    const inner = /** @type {HTMLElement[]} */ ([...row.querySelectorAll(INNER)].filter((one) => /** @type {HTMLElement} */ (one).tabIndex === 0));
    const within = back ? target !== row : target !== (inner.at(-1) ?? row);
    if (within) return false;
    const edges = this.list.querySelectorAll(".message-edge-focus");
    /** @type {HTMLElement | undefined} */ (edges[back ? 0 : 1])?.focus({ preventScroll: true });
    return true;
  }

  #rows() {
    return /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll(".message, .notice-line")]);
  }

  /** @param {HTMLElement | null} row */
  #set(row) {
    if (!row || row === this.#current) return;
    if (this.#current) this.#current.tabIndex = -1;
    this.#current = row;
    row.tabIndex = 0;
  }
}
