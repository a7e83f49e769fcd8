import { html, repeat } from "../vendor/lit.js";
import { Element } from "./element.js";
import { styles } from "./styles.js";

/** How much more than what is on the screen is drawn, so that scrolling finds something. */
const MARGIN_PX = 400;

/**
 * A long list of which only what is on the screen is in the page. One row can be reached with Tab,
 * and the arrow keys, Home, End and the page keys move from there.
 *
 * It scrolls by itself if it has the class `scroller`, and otherwise with the element around it that
 * has it. `items` are drawn by `draw`, whose first link or button is what is focused; it gets the
 * `tabindex` for it. `height` tells how tall an item is, in rem; `key` tells one from the others.
 */
export class Rows extends Element {
  static properties = {
    items: { attribute: false },
    key: { attribute: false },
    height: { attribute: false },
    draw: { attribute: false },
    current: {},
    label: {},
    active: { state: true },
    from: { state: true },
    to: { state: true },
  };

  /** Where each item begins, in rem, and where the last one ends. @type {number[]} */ #tops = [0];
  /** @type {HTMLElement} */ #scroller = this;

  constructor() {
    super();
    /** @type {any[]} */
    this.items = [];
    /** @type {(item: any) => string} */
    this.key = String;
    /** @type {(item: any) => number} */
    this.height = () => 4;
    /** @type {(item: any, tabindex: 0 | -1) => unknown} */
    this.draw = String;
    /** The key of the row that Tab goes to if none was focused yet. */
    this.current = "";
    this.label = "";
    /** The key of the row that was focused last. */
    this.active = "";
    this.from = 0;
    this.to = 20;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#scroller = /** @type {HTMLElement} */ (this.closest(".scroller")) ?? this;
    const look = () => this.#look();
    this.#scroller.addEventListener("scroll", look, { passive: true, signal: this.lifetime.signal });
    const observer = new ResizeObserver(look);
    observer.observe(this.#scroller);
    this.lifetime.signal.addEventListener("abort", () => observer.disconnect());
  }

  /** Moves the focus to the first row. */
  focusFirst() {
    void this.#focus(0);
  }

  /** Moves the focus to where it was last. */
  focusLast() {
    void this.#focus(Math.max(0, this.#reached()));
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has("items") && !changed.has("height")) return;
    this.#tops = [0];
    for (const item of this.items) this.#tops.push((this.#tops.at(-1) ?? 0) + this.height(item));
  }

  render() {
    const { items } = this;
    const reached = this.#reached();
    const shown = [];
    for (let at = this.from; at < Math.min(this.to, items.length); at += 1) shown.push(at);
    // What has the focus stays in the page, wherever one scrolls.
    if (reached >= 0 && !shown.includes(reached)) reached < this.from ? shown.unshift(reached) : shown.push(reached);
    return html`<ul
      class="rows"
      aria-label=${this.label}
      ${styles({ "--rows-end": `${this.#tops.at(-1)}rem` })}
      @keydown=${this.#keydown}
      @focusin=${this.#focusin}
    >
      ${repeat(
        shown,
        (at) => this.key(items[at]),
        (at) => html`<li
          class="rows-item"
          data-at=${at}
          aria-setsize=${items.length}
          aria-posinset=${at + 1}
          ${styles({ "--row-start": `${this.#tops[at]}rem`, "--row-height": `${this.height(items[at])}rem` })}
        >
          ${this.draw(items[at], at === reached ? 0 : -1)}
        </li>`,
      )}
    </ul>`;
  }

  updated() {
    this.#look();
  }

  /** The row that Tab goes to. */
  #reached() {
    const find = (/** @type {string} */ key) => (key ? this.items.findIndex((item) => this.key(item) === key) : -1);
    const active = find(this.active);
    if (active >= 0) return active;
    const current = find(this.current);
    return current >= 0 ? current : this.items.length ? 0 : -1;
  }

  /** Finds out which rows are on the screen. */
  #look() {
    const list = this.querySelector(".rows");
    if (!list) return;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const above = this.#scroller.getBoundingClientRect().top - list.getBoundingClientRect().top;
    const begin = (above - MARGIN_PX) / rem;
    const end = (above + this.#scroller.clientHeight + MARGIN_PX) / rem;
    this.from = Math.max(0, this.#before(begin));
    this.to = this.#before(end) + 1;
  }

  /** The last item that begins before a place, in rem. @param {number} place */
  #before(place) {
    let low = 0;
    let high = this.#tops.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#tops[middle] ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** @param {number} at */
  async #focus(at) {
    const item = this.items[at];
    if (item === undefined) return;
    this.active = this.key(item);
    await this.updateComplete;
    /** @type {HTMLElement | null} */ (this.querySelector(`[data-at="${at}"] :is(a, button)`))?.focus();
  }

  /** @param {FocusEvent} event */
  #focusin = (event) => {
    const at = indexOf(event.target);
    const item = this.items[at];
    if (item !== undefined) this.active = this.key(item);
  };

  /** @param {KeyboardEvent} event */
  #keydown = (event) => {
    const now = indexOf(event.target);
    if (now < 0 || event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / rem / this.height(this.items[now])) - 1);
    const last = this.items.length - 1;
    /** @type {Record<string, number>} */
    const moves = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: last, PageDown: now + page, PageUp: now - page };
    const next = moves[event.key];
    if (next === undefined) return;
    if (next < 0 && event.key === "ArrowUp") {
      this.dispatchEvent(new CustomEvent("leave-up", { bubbles: true }));
      return;
    }
    event.preventDefault();
    void this.#focus(Math.min(Math.max(0, next), last));
  };
}

/** @param {EventTarget | null} target */
function indexOf(target) {
  const item = /** @type {HTMLElement | null} */ (/** @type {Element | null} */ (/** @type {unknown} */ (target))?.closest?.("[data-at]") ?? null);
  return item ? Number(item.dataset.at) : -1;
}

/** @param {EventTarget | null} target */
function isField(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

customElements.define("myim-rows", Rows);
