import { describe, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { openDialog } from "../../ui/dialog.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import "../auth/password_field.js";
import { admin } from "./admin_api.js";
import { showPassword } from "./shown_once.js";

/** Which field a refusal belongs to. */
const FIELDS = /** @type {Record<string, string>} */ ({ username_taken: "username", invalid_username: "username", weak_password: "password" });

/**
 * Makes an account for somebody.
 * @param {import("../../types.js").ServerInfo | null} server
 * @returns {Promise<boolean>} whether one was made
 */
export async function createUser(server) {
  const made = await openDialog({
    title: t("admin.users.create"),
    classes: "small",
    content: (/** @type {(made?: {user: any, password?: string}) => void} */ close) => html`<myim-create-user .close=${close} .server=${server}></myim-create-user>`,
  });
  if (!made) return false;
  if (made.password) await showPassword(made.user.username, made.password);
  return true;
}

class CreateUser extends Element {
  static properties = { own: { state: true }, busy: { state: true }, failure: { state: true }, close: { attribute: false }, server: { attribute: false } };

  constructor() {
    super();
    this.own = false;
    this.busy = false;
    /** @type {Problem | null} */
    this.failure = null;
    /** @type {(made?: {user: any, password?: string}) => void} */
    this.close = () => {};
    /** @type {import("../../types.js").ServerInfo | null} */
    this.server = null;
  }

  render() {
    const at = this.failure ? FIELDS[this.failure.code] : undefined;
    const error = this.failure ? describe(this.failure) : "";
    return html`<form class="form auth-form" @submit=${this.#submit}>
      <div class="field">
        <label class="field-label" for="create-username">${t("auth.username")}</label>
        <input class="input" id="create-username" name="username" autocomplete="off" autocapitalize="none" spellcheck="false" required maxlength="31" autofocus
          aria-invalid=${at === "username" ? "true" : nothing} aria-describedby="create-username-error" />
        <span id="create-username-error" class="field-error" role="alert">${at === "username" ? error : nothing}</span>
      </div>
      <label class="field">
        <span class="field-label">${t("settings.profile.nickname")}</span>
        <input class="input" name="nickname" autocomplete="off" maxlength="63" dir="auto" />
      </label>
      <label class="check">
        <input type="checkbox" .checked=${!this.own} @change=${() => (this.own = !this.own)} />
        <span>${t("admin.users.make_password")}</span>
      </label>
      ${this.own
        ? html`<myim-password-field
            .label=${t("auth.password")}
            .autocomplete=${"new-password"}
            .minLength=${this.server?.limits.password_chars_min ?? 8}
            .error=${at === "password" ? error : ""}
          ></myim-password-field>`
        : nothing}
      <div role="alert">${error && !at ? html`<p class="note error">${icon("circle-alert")}${error}</p>` : nothing}</div>
      <footer class="dialog-foot">
        <button type="button" class="button" @click=${() => this.close()}>${t("action.cancel")}</button>
        <button class="button primary" ?disabled=${this.busy}>${t("admin.users.create")}</button>
      </footer>
    </form>`;
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    this.busy = true;
    this.failure = null;
    try {
      const made = await admin().post("/users", {
        username: String(data.get("username")).trim(),
        nickname: String(data.get("nickname")).trim() || undefined,
        password: this.own ? String(data.get("password")) : undefined,
      });
      this.close(made);
    } catch (error) {
      this.failure = Problem.of(error);
    } finally {
      this.busy = false;
    }
  }
}

customElements.define("myim-create-user", CreateUser);
