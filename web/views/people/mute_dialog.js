import { t } from "../../i18n/index.js";
import { openDialog } from "../../ui/dialog.js";
import { html } from "../../vendor/lit.js";

const MINUTE_MS = 60_000;
const LENGTHS = { minutes: 10 * MINUTE_MS, hour: 60 * MINUTE_MS, day: 24 * 60 * MINUTE_MS };

/**
 * Asks how long somebody may not write in a group.
 * @param {string} name
 * @returns {Promise<Date | undefined>} until when
 */
export function chooseMuteEnd(name) {
  return openDialog({
    title: t("people.mute_title", { name }),
    classes: "small",
    content: (/** @type {(until?: Date) => void} */ close) => html`<form
      class="pick"
      @submit=${(/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
        const length = LENGTHS[/** @type {keyof typeof LENGTHS} */ (data.get("length"))];
        const until = length ? new Date(Date.now() + length) : new Date(String(data.get("until")));
        close(Number.isNaN(until.getTime()) ? undefined : until);
      }}
    >
      <fieldset>
        <legend class="hidden-text">${t("people.mute_title", { name })}</legend>
        ${Object.keys(LENGTHS).map(
          (length, at) => html`<label class="check">
            <input type="radio" name="length" value=${length} ?checked=${at === 0} ?autofocus=${at === 0} />${t(`people.mute_${length}`)}
          </label>`,
        )}
        <label class="check"><input type="radio" name="length" value="until" />${t("people.mute_until")}</label>
        <input
          class="input"
          type="datetime-local"
          name="until"
          aria-label=${t("people.mute_until")}
          .value=${local(new Date(Date.now() + LENGTHS.day))}
          min=${local(new Date())}
          @input=${(/** @type {InputEvent} */ event) => {
            const form = /** @type {HTMLInputElement} */ (event.target).form;
            /** @type {HTMLInputElement} */ (form?.querySelector("[value=until]")).checked = true;
          }}
        />
      </fieldset>
      <footer class="dialog-foot">
        <button type="button" class="button" @click=${() => close()}>${t("action.cancel")}</button>
        <button class="button danger">${t("people.mute")}</button>
      </footer>
    </form>`,
  });
}

/** A time as `datetime-local` has it. @param {Date} time */
function local(time) {
  return new Date(time.getTime() - time.getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 16);
}
