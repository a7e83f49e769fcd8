import { icon } from "../../ui/icon.js";
import { html } from "../../vendor/lit.js";

/**
 * A field in which somebody searches while typing.
 * @param {{label: string, value: string, change: (text: string) => void}} field
 */
export function searchField({ label, value, change }) {
  return html`<label class="search">
    ${icon("search")}
    <span class="hidden-text">${label}</span>
    <input
      class="input"
      type="search"
      placeholder=${label}
      autocomplete="off"
      spellcheck="false"
      maxlength="255"
      .value=${value}
      @input=${(/** @type {InputEvent} */ event) => change(/** @type {HTMLInputElement} */ (event.target).value)}
    />
  </label>`;
}

/** Waits until somebody stops typing. @param {(text: string) => void} then @param {number} [ms] */
export function settled(then, ms = 250) {
  /** @type {number | undefined} */
  let timer;
  return (/** @type {string} */ text) => {
    clearTimeout(timer);
    timer = setTimeout(() => then(text.trim()), ms);
  };
}

/**
 * One of a few words that say what is listed.
 * @param {{label: string, value: string, options: [string, string][], change: (value: string) => void}} field
 */
export function selectField({ label, value, options, change }) {
  return html`<label class="select">
    <span class="hidden-text">${label}</span>
    <select class="input" @change=${(/** @type {Event} */ event) => change(/** @type {HTMLSelectElement} */ (event.target).value)}>
      ${options.map(([name, text]) => html`<option value=${name} ?selected=${name === value}>${text}</option>`)}
    </select>
  </label>`;
}
