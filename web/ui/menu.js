import { html, nothing, render } from "../vendor/lit.js";
import { icon } from "./icon.js";

/**
 * @typedef {object} MenuItem
 * @property {string} label
 * @property {keyof typeof import("../vendor/icons.js").icons} icon
 * @property {() => void} run
 * @property {boolean} [danger]
 */

/**
 * @typedef {object} QuickItem one of a row of short ones above the others
 * @property {string} label
 * @property {string} text
 * @property {() => void} run
 */

/** Closes the menu that is open. */
let closeMenu = () => {};

/**
 * Opens a menu at a button, or where somebody clicked. Arrow keys move in it, Escape and a click
 * elsewhere close it.
 * @param {HTMLElement | {x: number, y: number}} at
 * @param {string} label for screen readers
 * @param {(MenuItem | null | false | undefined)[]} items those that are none are left out
 * @param {QuickItem[]} [quick]
 */
export function openMenu(at, label, items, quick = []) {
  closeMenu();
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const menu = document.createElement("div");
  menu.className = "menu";
  // Not "auto": the finger that opened it by staying would close it when it is lifted.
  menu.popover = "manual";
  menu.setAttribute("role", "menu");
  menu.setAttribute("aria-label", label);
  const end = new AbortController();
  const { signal } = end;
  const close = () => {
    if (signal.aborted) return;
    end.abort();
    // What was chosen may have moved the focus already.
    const { activeElement } = document;
    const left = !activeElement || activeElement === document.body || menu.contains(activeElement);
    menu.remove();
    if (left) before?.focus({ preventScroll: true });
  };
  closeMenu = close;
  closeWhenLeft(menu, close, signal);
  const shown = /** @type {MenuItem[]} */ (items.filter(Boolean));
  const choose = (/** @type {{run: () => void}} */ item) => {
    close();
    item.run();
  };
  render(
    html`${quick.length
        ? html`<div class="menu-quick" role="group">
            ${quick.map((item) => html`<button role="menuitem" aria-label=${item.label} @click=${() => choose(item)}>${item.text}</button>`)}
          </div>`
        : nothing}
      ${shown.map(
        (item) => html`<button role="menuitem" class="menu-item ${item.danger ? "danger" : ""}" @click=${() => choose(item)}>
          ${icon(item.icon)}<span>${item.label}</span>
        </button>`,
      )}`,
    menu,
  );
  menu.addEventListener("keydown", (event) => move(menu, event, close));
  // Inside an open dialog, because everything outside of it is out of reach.
  const home = at instanceof HTMLElement ? (at.closest("dialog") ?? document.body) : document.body;
  home.append(menu);
  menu.showPopover();
  place(menu, at);
  /** @type {HTMLElement | null} */ (menu.querySelector("button"))?.focus();
}

/**
 * @param {HTMLElement} menu
 * @param {() => void} close
 * @param {AbortSignal} signal
 */
function closeWhenLeft(menu, close, signal) {
  const isInside = (/** @type {EventTarget | null} */ target) => target instanceof Node && menu.contains(target);
  document.addEventListener("pointerdown", ({ target }) => isInside(target) || close(), { capture: true, signal });
  menu.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !isInside(relatedTarget)) close();
  });
  addEventListener("hashchange", close, { signal });
  // The back button of a phone closes it too, where the browser lets us know.
  const { CloseWatcher } = /** @type {any} */ (window);
  if (!CloseWatcher) return;
  const watcher = new CloseWatcher();
  watcher.onclose = close;
  signal.addEventListener("abort", () => watcher.destroy());
}

/** @param {HTMLElement} menu @param {KeyboardEvent} event @param {() => void} close */
function move(menu, event, close) {
  if (event.key === "Escape" || event.key === "Tab") {
    // What the menu stands in front of is not closed with it.
    event.preventDefault();
    event.stopPropagation();
    close();
  }
  const buttons = [...menu.querySelectorAll("button")];
  const now = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  const [back, on] = getComputedStyle(menu).direction === "rtl" ? [1, -1] : [-1, 1];
  /** @type {Record<string, number>} */
  const moves = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: buttons.length - 1 };
  if (buttons[now]?.closest(".menu-quick")) {
    const below = menu.querySelectorAll(".menu-quick button").length;
    Object.assign(moves, { ArrowLeft: now + back, ArrowRight: now + on, ArrowDown: below, ArrowUp: -1 });
  }
  const next = moves[event.key];
  if (next === undefined) return;
  event.preventDefault();
  buttons.at(next % buttons.length)?.focus();
}

/** @param {HTMLElement} menu @param {HTMLElement | {x: number, y: number}} at */
function place(menu, at) {
  const { width, height } = menu.getBoundingClientRect();
  const gap = 8;
  let { x, y } = at instanceof HTMLElement ? below(at, width) : at;
  if (y + height + gap > innerHeight) y = at instanceof HTMLElement ? at.getBoundingClientRect().top - height - 4 : y - height;
  x = Math.min(Math.max(gap, x), innerWidth - width - gap);
  y = Math.max(gap, y);
  menu.style.left = `${x}px`;
  menu.style.top = `${y}px`;
}

/** @param {HTMLElement} button @param {number} width */
function below(button, width) {
  const { left, right, bottom } = button.getBoundingClientRect();
  const rtl = getComputedStyle(button).direction === "rtl";
  return { x: rtl ? left : right - width, y: bottom + 4 };
}
