import { html, live, nothing } from "../../vendor/lit.js";

/**
 * One of a few, as radio buttons that look like a row of cards.
 * @param {object} question
 * @param {string} question.name
 * @param {string} question.label
 * @param {string} question.value
 * @param {{value: string, label: string, hint?: string, lang?: string}[]} question.options
 * @param {(value: string) => void} question.change
 */
export function choices({ name, label, value, options, change }) {
  return html`<fieldset class="card choices">
    <legend class="field-label">${label}</legend>
    <div class="choices-row">
      ${options.map(
        (option) => html`<label class="choice">
          <input type="radio" name=${name} .value=${option.value} .checked=${live(option.value === value)} @change=${() => change(option.value)} />
          <span lang=${option.lang ?? nothing}>${option.label}</span>
          ${option.hint ? html`<span class="field-hint">${option.hint}</span>` : nothing}
        </label>`,
      )}
    </div>
  </fieldset>`;
}

/**
 * On or off.
 * @param {object} question
 * @param {string} question.label
 * @param {string} [question.hint]
 * @param {boolean} question.checked
 * @param {boolean} [question.disabled]
 * @param {(checked: boolean) => void} question.change
 */
export function toggle({ label, hint, checked, disabled = false, change }) {
  return html`<label class="toggle">
    <span class="toggle-text">
      <span>${label}</span>
      ${hint ? html`<span class="field-hint">${hint}</span>` : nothing}
    </span>
    <input
      type="checkbox"
      role="switch"
      .checked=${live(checked)}
      ?disabled=${disabled}
      @change=${(/** @type {Event} */ event) => change(/** @type {HTMLInputElement} */ (event.target).checked)}
    />
  </label>`;
}
