/** So near to the end one counts as being there. */
const NEAR_PX = 60;
/** More rows than fit would be of no use to find the place again. */
const HELD_MAX = 12;

/**
 * Where one is in a list that grows at both ends.
 *
 * The list is laid out from its end (`column-reverse`), so `scrollTop` is 0 there and negative above.
 * By itself it stays at the end when something grows, and in place when something is added above. What
 * is added or taken away below is made good here, at once: browsers that anchor scrolling do so only
 * when they draw, and until then one would seem to be where nothing is loaded.
 */
export class ScrollKeeper {
  /** @type {{element: Element, top: number}[]} */ #held = [];
  #stick = false;

  /** @param {HTMLElement} scroller @param {HTMLElement} list whose children are the rows */
  constructor(scroller, list) {
    this.scroller = scroller;
    this.list = list;
  }

  /** How much of the list is below what is seen, in pixels. */
  get below() {
    return Math.max(0, -this.scroller.scrollTop);
  }

  get above() {
    return this.scroller.scrollHeight - this.scroller.clientHeight - this.below;
  }

  get isAtEnd() {
    return this.below <= NEAR_PX;
  }

  /** Before the rows change: remembers what is seen. @param {boolean} stick stays at the end if it is there */
  hold(stick) {
    this.#stick = stick && this.isAtEnd;
    this.#held = [];
    if (this.#stick) return;
    const { top, bottom } = this.scroller.getBoundingClientRect();
    const rows = this.list.children;
    for (let at = this.#firstBelow(top); at < rows.length && this.#held.length < HELD_MAX; at += 1) {
      const element = /** @type {Element} */ (rows[at]);
      // Separators and edges stay in the page, but go with what is added.
      if (!element.matches("[data-seq], [data-client-id]")) continue;
      const place = element.getBoundingClientRect().top;
      if (place > bottom) break;
      this.#held.push({ element, top: place });
    }
  }

  /** After they changed: what was seen is where it was. */
  restore() {
    if (this.#stick) {
      this.toEnd();
      return;
    }
    const kept = this.#held.find(({ element }) => element.parentElement === this.list);
    if (!kept) return;
    const by = kept.element.getBoundingClientRect().top - kept.top;
    if (Math.abs(by) >= 1) this.scroller.scrollTop += by;
  }

  toEnd() {
    if (this.scroller.scrollTop !== 0) this.scroller.scrollTop = 0;
  }

  /** Brings a row to a place of the screen: 0 is its top, 1 its bottom. @param {Element} row @param {number} place */
  show(row, place) {
    const seen = this.scroller.getBoundingClientRect();
    const { top, height } = row.getBoundingClientRect();
    this.scroller.scrollTop += top - seen.top - Math.max(0, seen.height - height) * place;
  }

  /** The last row that is seen whole. */
  lastSeen() {
    const rows = this.list.children;
    const { bottom } = this.scroller.getBoundingClientRect();
    let at = this.#firstBelow(bottom) - 1;
    if (rows[at + 1] && /** @type {Element} */ (rows[at + 1]).getBoundingClientRect().bottom <= bottom + 1) at += 1;
    return rows[at];
  }

  /** The first row that ends below a height. @param {number} height */
  #firstBelow(height) {
    const rows = this.list.children;
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (/** @type {Element} */ (rows[middle]).getBoundingClientRect().bottom <= height) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
