import { icons } from "../vendor/icons.js";
import { html } from "../vendor/lit.js";

/**
 * A drawing that says nothing by itself: what it stands for has to be said in words beside it or in
 * the label of its button.
 * @param {keyof typeof icons} name
 * @param {string} [classes]
 */
export function icon(name, classes = "") {
  return html`<svg
    class="icon ${classes}"
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    ${icons[name]}
  </svg>`;
}
