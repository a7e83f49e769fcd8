import { t } from "../i18n/index.js";
import { html, nothing, render } from "../vendor/lit.js";
import { icon } from "./icon.js";

/**
 * Opens a window in front of the page. The browser keeps the focus inside, gives it back at the end,
 * and closes it with Escape.
 * @template R
 * @param {{title: string, classes?: string, content: (close: (result?: R) => void) => unknown}} options
 *   `content` is drawn once more whenever `redraw` of the returned promise's dialog is asked for
 * @returns {Promise<R | undefined>} what it was closed with
 */
export function openDialog({ title, classes = "", content }) {
  return new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    dialog.className = `dialog ${classes}`;
    dialog.setAttribute("aria-label", title);
    /** @type {R | undefined} */
    let result;
    /** @type {(given?: R) => void} */
    const close = (given) => {
      result = given;
      dialog.close();
    };
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    // A click beside the window is one on the dialog itself.
    dialog.addEventListener("pointerdown", (event) => {
      if (event.target === dialog) close();
    });
    render(
      html`<div class="dialog-box">
        <header class="dialog-head">
          <h2>${title}</h2>
          <button class="icon-button" aria-label=${t("action.close")} @click=${() => close()}>${icon("x")}</button>
        </header>
        ${content(close)}
      </div>`,
      dialog,
    );
    document.body.append(dialog);
    dialog.showModal();
    // Components in the window draw themselves a moment later.
    requestAnimationFrame(() => {
      const wanted = /** @type {HTMLElement | null} */ (dialog.querySelector("[autofocus]"));
      if (!wanted?.contains(document.activeElement)) wanted?.focus();
    });
  });
}

/**
 * Asks before something is done that cannot be undone.
 * @param {{title: string, text: string, action: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export async function confirm({ title, text, action, danger = false }) {
  const answer = await openDialog({
    title,
    classes: "small",
    content: (/** @type {(result?: boolean) => void} */ close) => html`
      <p class="dialog-text">${text}</p>
      <footer class="dialog-foot">
        <button class="button" @click=${() => close(false)}>${t("action.cancel")}</button>
        <button class="button ${danger ? "danger" : "primary"}" @click=${() => close(true)}>${action}</button>
      </footer>
    `,
  });
  return answer === true;
}

/**
 * Asks for a line of text.
 * @param {{title: string, label: string, value?: string, action: string, maxLength?: number, required?: boolean}} question
 * @returns {Promise<string | undefined>} nothing if it was not answered
 */
export function ask({ title, label, value = "", action, maxLength, required = false }) {
  return openDialog({
    title,
    classes: "small",
    content: (/** @type {(result?: string) => void} */ close) => html`
      <form
        method="dialog"
        @submit=${(/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          const field = /** @type {HTMLInputElement} */ (/** @type {HTMLFormElement} */ (event.target).elements.namedItem("answer"));
          close(field.value.trim());
        }}
      >
        <label class="field">
          <span class="field-label">${label}</span>
          <input name="answer" class="input" .value=${value} maxlength=${maxLength ?? nothing} ?required=${required} autofocus />
        </label>
        <footer class="dialog-foot">
          <button type="button" class="button" @click=${() => close()}>${t("action.cancel")}</button>
          <button class="button primary">${action}</button>
        </footer>
      </form>
    `,
  });
}
