import { t } from "../i18n/index.js";
import { html } from "../vendor/lit.js";
import { openDialog } from "./dialog.js";

/**
 * Asks which of a few it should be.
 * @template {string} V
 * @param {{title: string, options: {value: V, label: string, hint?: string}[], value?: V, action?: string, danger?: boolean}} question
 *   `value` is what it is now
 * @returns {Promise<V | undefined>} nothing if it was not answered
 */
export function choose({ title, options, value = options[0]?.value, action = t("action.save"), danger = false }) {
  return openDialog({
    title,
    classes: "small",
    content: (/** @type {(chosen?: V) => void} */ close) => html`
      <form
        class="pick"
        @submit=${(/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
          close(/** @type {V} */ (data.get("choice")));
        }}
      >
        <fieldset>
          <legend class="hidden-text">${title}</legend>
          ${options.map(
            (option) => html`<label class="check">
              <input type="radio" name="choice" value=${option.value} ?checked=${option.value === value} ?autofocus=${option.value === value} />
              <span>
                <bdi>${option.label}</bdi>
                ${option.hint ? html`<span class="field-hint">${option.hint}</span>` : ""}
              </span>
            </label>`,
          )}
        </fieldset>
        <footer class="dialog-foot">
          <button type="button" class="button" @click=${() => close()}>${t("action.cancel")}</button>
          <button class="button ${danger ? "danger" : "primary"}">${action}</button>
        </footer>
      </form>
    `,
  });
}
