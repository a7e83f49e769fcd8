import { currentLanguage, describe, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { app } from "../../state/app.js";
import { go, href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { signedIn } from "../parts.js";
import "./password_field.js";

/** Which field a refusal belongs to. */
const FIELDS = /** @type {Record<string, string>} */ ({
  username_taken: "username",
  invalid_username: "username",
  weak_password: "password",
  invite_needed: "invite",
  invite_invalid: "invite",
});

/** Where one signs in, or makes an account. An invitation link (`#/join/CODE`) fills the code in. */
export class SignIn extends Element {
  static properties = {
    signsUp: { state: true },
    username: { state: true },
    busy: { state: true },
    failure: { state: true },
    asksInvite: { state: true },
    lacking: { state: true },
  };

  select = (/** @type {import("../../types.js").State} */ { server, endedBy, route }) => ({ server, endedBy, route });

  constructor() {
    super();
    this.signsUp = app.store.state.route.page === "join";
    this.username = "";
    this.busy = false;
    /** @type {Problem | null} */
    this.failure = null;
    this.asksInvite = false;
    /** The names of fields that were left empty. @type {string[]} */
    this.lacking = [];
  }

  /** The browser itself heeds `autofocus` only while it loads a page. */
  firstUpdated() {
    if (app.accounts().length === 0) /** @type {HTMLElement | null} */ (this.querySelector("#username"))?.focus();
  }

  render() {
    const { server, endedBy, route } = this.seen;
    const name = server?.name ?? "myim";
    const closed = this.signsUp && server?.registration === "closed";
    const code = invitation(route);
    return html`<main class="auth">
      <div class="auth-card">
        <header class="auth-head">
          <span class="auth-mark">${icon("message-circle")}</span>
          ${this.#languages()}
        </header>
        <h1>${t(this.signsUp ? "auth.sign_up_at" : "auth.sign_in_to", { server: name })}</h1>
        ${endedBy && !this.failure ? html`<p class="note" role="status">${icon("info")}${t(`auth.ended.${endedBy}`)}</p>` : nothing}
        ${this.signsUp && code && !closed ? html`<p class="note good">${icon("user-plus")}${t("auth.invited")}</p>` : nothing}
        ${this.signsUp ? nothing : this.#accounts()}
        ${closed ? html`<p class="note warn">${icon("lock")}${t("auth.closed")}</p>` : this.#form(server, code)}
        <p class="auth-other">
          ${t(this.signsUp ? "auth.have_account" : "auth.no_account")}
          <button type="button" class="link-button" @click=${this.#turn}>${t(this.signsUp ? "auth.sign_in" : "auth.sign_up")}</button>
        </p>
      </div>
    </main>`;
  }

  /** @param {import("../../types.js").ServerInfo | null} server @param {string} code */
  #form(server, code) {
    const at = this.failure ? FIELDS[this.failure.code] : undefined;
    const error = this.failure ? describe(this.failure) : "";
    const wrong = (/** @type {string} */ field) =>
      this.lacking.includes(field) ? t(`auth.${field}_missing`) : at === field ? error : "";
    const invites = this.signsUp && (server?.registration === "invite" || this.asksInvite || code);
    return html`<form class="auth-form" @submit=${this.#submit} @input=${() => signedIn.warm()}>
      <div class="field">
        <label class="field-label" for="username">${t("auth.username")}</label>
        <input
          class="input"
          id="username"
          name="username"
          autocomplete="username"
          autocapitalize="none"
          autocorrect="off"
          spellcheck="false"
          dir="auto"
          required
          maxlength="31"
          aria-invalid=${wrong("username") ? "true" : nothing}
          aria-describedby="username-hint username-error"
          @input=${this.#named}
          @invalid=${this.#lacks}
        />
        <span id="username-error" class="field-error" role="alert">${wrong("username")}</span>
        ${this.signsUp ? html`<span id="username-hint" class="field-hint">${t("auth.username_hint")}</span>` : nothing}
      </div>
      ${this.signsUp
        ? html`<label class="field">
            <span class="field-label">${t("auth.nickname")}</span>
            <input class="input" name="nickname" autocomplete="name" maxlength="63" dir="auto" aria-describedby="nickname-hint" />
            <span class="field-hint" id="nickname-hint">${t("auth.nickname_hint")}</span>
          </label>`
        : nothing}
      <myim-password-field
        .label=${t("auth.password")}
        .autocomplete=${this.signsUp ? "new-password" : "current-password"}
        .minLength=${server?.limits.password_chars_min ?? 8}
        .words=${[this.username]}
        .error=${at === "password" ? error : ""}
      ></myim-password-field>
      ${invites
        ? html`<div class="field">
            <label class="field-label" for="invite">${t("auth.invite")}</label>
            <input
              class="input"
              id="invite"
              name="invite"
              .value=${code}
              required
              autocomplete="off"
              autocapitalize="none"
              spellcheck="false"
              aria-invalid=${wrong("invite") ? "true" : nothing}
              aria-describedby="invite-hint invite-error"
              @input=${this.#filled}
              @invalid=${this.#lacks}
            />
            <span id="invite-error" class="field-error" role="alert">${wrong("invite")}</span>
            <span id="invite-hint" class="field-hint">${t("auth.invite_hint")}</span>
          </div>`
        : nothing}
      <div role="alert">${error && !at ? html`<p class="note error">${icon("circle-alert")}${error}</p>` : nothing}</div>
      <button class="button primary wide" ?disabled=${this.busy}>
        ${this.busy ? icon("loader-circle", "spin") : nothing}${t(this.signsUp ? "auth.sign_up" : "auth.sign_in")}
      </button>
    </form>`;
  }

  /** Who is signed in in this browser goes on without a password. */
  #accounts() {
    const accounts = app.accounts();
    if (accounts.length === 0) return nothing;
    return html`<section class="auth-accounts" aria-labelledby="auth-accounts">
      <h2 id="auth-accounts" class="field-label">${t("auth.accounts")}</h2>
      <ul>
        ${accounts.map(
          (account) => html`<li>
            <button type="button" class="auth-account" aria-label=${t("auth.use_account", { name: account.username })} @click=${() => app.switchTo(account)}>
              <myim-avatar .name=${account.username} .number=${account.user_id} .size=${36}></myim-avatar>
              <span class="ellipsis" dir="auto">${account.username}</span>
              ${icon("chevron-right")}
            </button>
          </li>`,
        )}
      </ul>
      <p class="auth-or">${t("auth.other_account")}</p>
    </section>`;
  }

  /** Whoever cannot read this page finds his language by its own name. */
  #languages() {
    const now = currentLanguage();
    return html`<div class="auth-languages" role="group" aria-label=${t("auth.language")}>
      ${/** @type {const} */ ([["en", "English", "en"], ["zh", "中文", "zh-Hans"]]).map(
        ([language, name, lang]) => html`<button
          type="button"
          lang=${lang}
          aria-pressed=${language === now}
          @click=${() => app.prefer({ language })}
        >
          ${name}
        </button>`,
      )}
    </div>`;
  }

  /** @param {InputEvent} event */
  #named(event) {
    this.username = /** @type {HTMLInputElement} */ (event.target).value;
    this.#filled(event);
  }

  /** @param {Event} event */
  #filled(event) {
    const { name } = /** @type {HTMLInputElement} */ (event.target);
    this.lacking = this.lacking.filter((field) => field !== name);
  }

  /** The form is not sent, for a reason that is said in our words. @param {Event} event */
  #lacks(event) {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (event.target);
    this.lacking = [...this.lacking, field.name];
    // The browser goes to the first field that lacks something, but not to one it says nothing of.
    if (field.form?.querySelector("input:invalid") === field) field.focus();
  }

  #turn() {
    this.signsUp = !this.signsUp;
    this.failure = null;
    this.lacking = [];
    /** @type {HTMLElement | null} */ (this.querySelector("#username"))?.focus();
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
      if (app.store.state.route.page === "join") go(href("chats"), { replace: true });
    } catch (error) {
      await this.#failed(Problem.of(error));
    } finally {
      this.busy = false;
    }
  }

  /** @param {Problem} problem */
  async #failed(problem) {
    this.failure = problem;
    if (problem.code === "invite_needed") this.asksInvite = true;
    await this.updateComplete;
    const field = FIELDS[problem.code] ?? (problem.code === "bad_credentials" ? "password" : undefined);
    /** @type {HTMLInputElement | null} */ (field ? this.querySelector(`[name="${field}"]:is(input)`) : null)?.focus();
  }
}

/** The code of an invitation link. @param {import("../../types.js").Route} route */
function invitation(route) {
  return route.page === "join" ? (route.parts[0] ?? "") : "";
}

customElements.define("myim-sign-in", SignIn);
