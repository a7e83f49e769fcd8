import { t } from "../../i18n/index.js";
import { openDialog } from "../../ui/dialog.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html } from "../../vendor/lit.js";

/** Shows a password that the server made: nobody can see it later. @param {string} username @param {string} password */
export function showPassword(username, password) {
  return openDialog({
    title: t("admin.password.title", { name: username }),
    classes: "small",
    content: (/** @type {(result?: void) => void} */ close) => html`
      <p class="note warn">${icon("triangle-alert")}<span>${t("admin.password.once")}</span></p>
      ${copyField(t("auth.password"), password)}
      <footer class="dialog-foot"><button class="button primary" @click=${() => close()}>${t("action.done")}</button></footer>
    `,
  });
}

/**
 * A text that somebody passes on, with a button that copies it.
 * @param {string} label
 * @param {string} text
 */
export function copyField(label, text) {
  return html`<div class="copy-field">
    <label class="field">
      <span class="field-label">${label}</span>
      <input class="input mono" readonly .value=${text} @focus=${(/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).select()} />
    </label>
    <button class="button" @click=${(/** @type {Event} */ event) => copy(/** @type {HTMLElement} */ (event.currentTarget), text)}>${icon("copy")}${t("action.copy")}</button>
  </div>`;
}

/** Pages that did not come over TLS have no clipboard: there the text is selected, to copy it by hand. @param {HTMLElement} button @param {string} text */
async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("admin.copied"));
  } catch {
    const field = button.parentElement?.querySelector("input");
    field?.select();
    toast(t("admin.copy_by_hand"));
  }
}
