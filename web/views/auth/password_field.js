import { t } from "../../i18n/index.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { strength } from "./password_strength.js";

/**
 * A password in a form, under `name`. It can be shown, says when Caps Lock is on, and for a new one
 * (`autocomplete="new-password"`) how good it is. Properties: `words`, what a guesser would try
 * first; `minLength`; `error`, what the server said of it. What the browser would say in its own
 * language stands beside the field instead.
 */
export class PasswordField extends Element {
  static properties = {
    name: {},
    label: {},
    autocomplete: {},
    minLength: { type: Number },
    words: { attribute: false },
    error: {},
    autofocused: { type: Boolean },
    value: { state: true },
    revealed: { state: true },
    capsLock: { state: true },
    lack: { state: true },
  };

  constructor() {
    super();
    this.name = "password";
    this.label = "";
    this.autocomplete = "current-password";
    this.minLength = 0;
    /** @type {string[]} */
    this.words = [];
    this.error = "";
    this.autofocused = false;
    this.value = "";
    this.revealed = false;
    this.capsLock = false;
    /** Why the form was not sent. @type {"" | "missing" | "short"} */
    this.lack = "";
  }

  /** The form was reset. */
  clear() {
    this.value = "";
    this.lack = "";
    this.revealed = false;
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    // Nobody sees over a shoulder what was sent.
    if (changed.has("autocomplete")) {
      this.revealed = false;
      this.lack = "";
    }
  }

  render() {
    const id = `password-${this.name}`;
    const isNew = this.autocomplete === "new-password";
    const error = this.lack ? t(`auth.password_${this.lack}`, { count: this.minLength }) : this.error;
    return html`<div class="field">
      <label class="field-label" for=${id}>${this.label}</label>
      <span class="password-box">
        <input
          class="input"
          id=${id}
          name=${this.name}
          type=${this.revealed ? "text" : "password"}
          autocomplete=${this.autocomplete}
          autocapitalize="none"
          spellcheck="false"
          required
          minlength=${isNew && this.minLength ? this.minLength : nothing}
          maxlength="1024"
          ?autofocus=${this.autofocused}
          aria-invalid=${error ? "true" : nothing}
          aria-describedby="${id}-hint ${id}-error"
          @input=${this.#typed}
          @invalid=${this.#refused}
          @keydown=${this.#look}
          @keyup=${this.#look}
          @blur=${() => (this.capsLock = false)}
        />
        <button
          type="button"
          class="icon-button"
          aria-label=${t("auth.show_password")}
          aria-pressed=${this.revealed}
          title=${t(this.revealed ? "auth.hide_password" : "auth.show_password")}
          @click=${() => (this.revealed = !this.revealed)}
        >
          ${icon(this.revealed ? "eye-off" : "eye")}
        </button>
      </span>
      <div id="${id}-error" role="alert">${error ? html`<p class="field-error">${error}</p>` : nothing}</div>
      <div role="status">${this.capsLock ? html`<p class="field-hint caps">${icon("triangle-alert")}${t("auth.caps_lock")}</p>` : nothing}</div>
      <div id="${id}-hint">${isNew && !this.lack ? this.#strength() : nothing}</div>
    </div>`;
  }

  #strength() {
    if (!this.value) {
      return html`<p class="field-hint">${t("auth.password_hint", { count: this.minLength })}</p>`;
    }
    const { score, reason } = strength(this.value, this.words, this.minLength);
    return html`<div class="strength" data-score=${score}>
      <span class="strength-bar" aria-hidden="true"><i></i><i></i><i></i><i></i></span>
      <span class="field-hint" role="status">
        ${t("auth.strength")}<b>${t(`auth.strength.${score}`)}</b>${reason ? html`<br />${t(`auth.strength.because.${reason}`, { count: this.minLength })}` : nothing}
      </span>
    </div>`;
  }

  /** @param {InputEvent} event */
  #typed(event) {
    this.value = /** @type {HTMLInputElement} */ (event.target).value;
    this.lack = "";
  }

  /** The form is not sent. @param {Event} event */
  #refused(event) {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (event.target);
    this.lack = field.validity.valueMissing ? "missing" : "short";
    // The browser goes to the first field that lacks something, but not to one it says nothing of.
    if (field.form?.querySelector("input:invalid") === field) field.focus();
  }

  /** @param {KeyboardEvent} event */
  #look(event) {
    // An autofill of the browser sends events that know no keys.
    if (event.getModifierState) this.capsLock = event.getModifierState("CapsLock");
  }
}

customElements.define("myim-password-field", PasswordField);
