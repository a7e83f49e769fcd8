import { t } from "../../i18n/index.js";
import { go, href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";

/** Opens a group by its number, which its members know. */
export class FindGroup extends Element {
  render() {
    return html`<form
      class="find-form"
      @submit=${(/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const number = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("number")).replace(/\D/g, "");
        if (number) go(href("people", "group", number));
      }}
    >
      <label class="field">
        <span class="field-label">${t("people.group_number")}</span>
        <input class="input" name="number" inputmode="numeric" pattern="\\s*[0-9 ]{1,20}\\s*" autocomplete="off" required aria-describedby="group-hint" />
        <span class="field-hint" id="group-hint">${t("people.group_number_hint")}</span>
      </label>
      <button class="button primary">${t("people.show_group")}</button>
    </form>`;
  }
}

customElements.define("myim-find-group", FindGroup);
