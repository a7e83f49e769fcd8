import { describe, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { app } from "../../state/app.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html, nothing } from "../../vendor/lit.js";
import { guardLeaving } from "../leaving.js";
import "../auth/password_field.js";

/** Which field a refusal belongs to. */
const FIELDS = /** @type {Record<string, string>} */ ({ wrong_password: "old", weak_password: "new" });

/** Another password for the own account. */
export class PasswordSettings extends Element {
  static properties = { busy: { state: true }, failure: { state: true } };

  select = (/** @type {import("../../types.js").State} */ { server, me }) => ({ server, me });

  constructor() {
    super();
    this.busy = false;
    /** @type {Problem | null} */
    this.failure = null;
  }

  connectedCallback() {
    super.connectedCallback();
    const typed = () => [...this.querySelectorAll("myim-password-field input")].some((field) => /** @type {HTMLInputElement} */ (field).value !== "");
    guardLeaving({ unsaved: typed, discard: () => this.#clear(), signal: this.lifetime.signal });
  }

  render() {
    const { server, me } = this.seen;
    const chars = server?.limits.password_chars_min ?? 8;
    const at = this.failure ? FIELDS[this.failure.code] : undefined;
    const error = this.failure ? describe(this.failure) : "";
    return html`<form class="card form" @submit=${this.#submit}>
      <p class="note">${icon("info")}${t("settings.password.others_end")}</p>
      <input class="hidden-text" type="text" name="username" autocomplete="username" tabindex="-1" aria-hidden="true" readonly .value=${me?.username ?? ""} />
      <myim-password-field name="old" .label=${t("settings.password.old")} autocomplete="current-password" .error=${at === "old" ? error : ""}></myim-password-field>
      <myim-password-field
        name="new"
        .label=${t("settings.password.new")}
        autocomplete="new-password"
        .minLength=${chars}
        .words=${[me?.username ?? "", me?.nickname ?? ""]}
        .error=${at === "new" ? error : ""}
      ></myim-password-field>
      <div role="alert">${error && !at ? html`<p class="note error">${icon("circle-alert")}${error}</p>` : nothing}</div>
      <div class="form-foot">
        <button class="button primary" ?disabled=${this.busy}>
          ${this.busy ? icon("loader-circle", "spin") : nothing}${t("settings.password.change")}
        </button>
      </div>
    </form>`;
  }

  #clear() {
    this.querySelector("form")?.reset();
    for (const field of this.querySelectorAll("myim-password-field")) /** @type {import("../auth/password_field.js").PasswordField} */ (field).clear();
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const data = new FormData(form);
    this.busy = true;
    this.failure = null;
    try {
      await app.client?.api.changePassword(String(data.get("old")), String(data.get("new")));
      this.#clear();
      toast(t("settings.password.changed"));
    } catch (error) {
      this.failure = Problem.of(error);
      await this.updateComplete;
      const field = FIELDS[this.failure.code];
      if (field) /** @type {HTMLElement | null} */ (form.elements.namedItem(field))?.focus();
    } finally {
      this.busy = false;
    }
  }
}

customElements.define("myim-password-settings", PasswordSettings);
