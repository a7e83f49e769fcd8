import { nothing } from "../vendor/lit.js";

/** Where the list and what was chosen in it take turns, as in styles/shell.css. */
const narrow = matchMedia("(max-width: 45rem)");

/**
 * Draws a page of two panes anew when the window becomes narrow, or wide.
 * @param {import("./element.js").Element} page
 */
export function followWidth(page) {
  narrow.addEventListener("change", () => page.requestUpdate(), { signal: page.lifetime.signal });
}

/** The list is the page's main part where it is all that is seen. @param {boolean} inside whether something was chosen in it */
export function roleOfList(inside) {
  return narrow.matches && !inside ? "main" : nothing;
}
