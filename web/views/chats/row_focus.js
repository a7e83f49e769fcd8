/** What a row that was jumped to looks different for, in milliseconds. */
const MARKED_MS = 2_500;

/**
 * One message at a time can be reached with Tab; the arrow keys, Home and End move from there.
 */
export class RowFocus {
  /** @type {HTMLElement | null} */ #current = null;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
  }

  /** After the rows changed: there is one that can be reached. */
  keep() {
    if (this.#current?.isConnected) return;
    this.#set(this.#rows().at(-1) ?? null);
  }

  enter() {
    this.keep();
    this.#current?.focus();
  }

  /** Something in a row was focused. @param {FocusEvent} event */
  entered = (event) => {
    this.#set(/** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[tabindex][data-seq], [tabindex][data-client-id]")));
  };

  /** @param {KeyboardEvent} event @returns {boolean} whether it was one for this */
  key(event) {
    if (!event.target || event.target !== this.#current || event.ctrlKey || event.metaKey || event.altKey) return false;
    const rows = this.#rows();
    const now = rows.indexOf(/** @type {HTMLElement} */ (event.target));
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
