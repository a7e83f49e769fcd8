import { describe, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { app } from "../../state/app.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";

/** Where one signs in, or makes an account. An invitation link (`#/join/CODE`) fills the code in. */
export class SignIn extends Element {
  static properties = {
    signsUp: { state: true },
    busy: { state: true },
    failure: { state: true },
    revealed: { state: true },
    password: { state: true },
  };

  select = (/** @type {import("../../types.js").State} */ { server, endedBy, route }) => ({ server, endedBy, route });

  constructor() {
    super();
    this.signsUp = app.store.state.route.page === "join";
    this.busy = false;
    /** @type {Problem | null} */
    this.failure = null;
    this.revealed = false;
    this.password = "";
  }

  render() {
    const { server, endedBy, route } = this.seen;
    const name = server?.name ?? "myim";
    const closed = this.signsUp && server?.registration === "closed";
    return html`<main class="auth">
      <form class="auth-card" @submit=${this.#submit}>
        <span class="auth-mark">${icon("message-circle")}</span>
        <h1>${t(this.signsUp ? "auth.sign_up_at" : "auth.sign_in_to", { server: name })}</h1>
        ${endedBy && !this.failure ? html`<p class="note" role="status">${t(`auth.ended.${endedBy}`)}</p>` : nothing}
        ${closed ? html`<p class="note warn">${t("auth.closed")}</p>` : this.#fields(server, route)}
        <div role="alert">${this.failure ? html`<p class="note error">${icon("circle-alert")}${describe(this.failure)}</p>` : nothing}</div>
        ${closed
          ? nothing
          : html`<button class="button primary wide" ?disabled=${this.busy}>
              ${this.busy ? icon("loader-circle", "spin") : nothing}${t(this.signsUp ? "auth.sign_up" : "auth.sign_in")}
            </button>`}
        <p class="auth-other">
          ${t(this.signsUp ? "auth.have_account" : "auth.no_account")}
          <button type="button" class="link-button" @click=${this.#turn}>${t(this.signsUp ? "auth.sign_in" : "auth.sign_up")}</button>
        </p>
        ${this.signsUp
          ? nothing
          : app.accounts().map(
              (account) => html`<button type="button" class="button wide" @click=${() => app.switchTo(account)}>
                ${t("auth.use_account", { name: account.username })}
              </button>`,
            )}
      </form>
    </main>`;
  }

  /** @param {import("../../types.js").ServerInfo | null} server @param {import("../../types.js").Route} route */
  #fields(server, route) {
    const chars = server?.limits.password_chars_min ?? 8;
    const code = route.page === "join" ? (route.parts[0] ?? "") : "";
    return html`
      <label class="field">
        <span class="field-label">${t("auth.username")}</span>
        <input class="input" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="31" autofocus />
      </label>
      ${this.signsUp
        ? html`<label class="field">
            <span class="field-label">${t("auth.nickname")}</span>
            <input class="input" name="nickname" autocomplete="name" maxlength="63" aria-describedby="nickname-hint" />
            <span class="field-hint" id="nickname-hint">${t("auth.nickname_hint")}</span>
          </label>`
        : nothing}
      <div class="field">
        <label class="field-label" for="password">${t("auth.password")}</label>
        <span class="auth-password">
          <input
            class="input"
            id="password"
            name="password"
            type=${this.revealed ? "text" : "password"}
            autocomplete=${this.signsUp ? "new-password" : "current-password"}
            required
            minlength=${this.signsUp ? chars : nothing}
            aria-describedby=${this.signsUp ? "password-hint" : nothing}
            @input=${(/** @type {InputEvent} */ event) => (this.password = /** @type {HTMLInputElement} */ (event.target).value)}
          />
          <button
            type="button"
            class="icon-button"
            aria-label=${t(this.revealed ? "auth.hide_password" : "auth.show_password")}
            @click=${() => (this.revealed = !this.revealed)}
          >
            ${icon(this.revealed ? "eye-off" : "eye")}
          </button>
        </span>
        ${this.signsUp ? html`<span class="field-hint" id="password-hint">${t("auth.password_hint", { count: chars })}</span>` : nothing}
      </div>
      ${this.signsUp && (server?.registration === "invite" || code)
        ? html`<label class="field">
            <span class="field-label">${t("auth.invite")}</span>
            <input class="input" name="invite" .value=${code} required autocomplete="off" spellcheck="false" />
            <span class="field-hint">${t("auth.invite_hint")}</span>
          </label>`
        : nothing}
    `;
  }

  #turn() {
    this.signsUp = !this.signsUp;
    this.failure = null;
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const text = (/** @type {string} */ name) => String(data.get(name) ?? "");
    this.busy = true;
    this.failure = null;
    try {
      if (this.signsUp) {
        await app.signUp({
          username: text("username").trim(),
          password: text("password"),
          nickname: text("nickname").trim() || undefined,
          invite: text("invite").trim() || undefined,
        });
      } else {
        await app.signIn(text("username").trim(), text("password"));
      }
    } catch (error) {
      this.failure = Problem.of(error);
    } finally {
      this.busy = false;
    }
  }
}

customElements.define("myim-sign-in", SignIn);
