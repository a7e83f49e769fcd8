import { t } from "../../i18n/index.js";
import { useNoAccount } from "../../state/accounts.js";
import { app } from "../../state/app.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { signOutHere } from "./devices.js";

/** Who is signed in in this browser. Each tab is one account's. */
export class AccountSettings extends Element {
  select = (/** @type {import("../../types.js").State} */ { me }) => ({ me });

  render() {
    const { me } = this.seen;
    return html`
      <section class="card" aria-labelledby="accounts-title">
        <h2 id="accounts-title">${t("settings.accounts.title")}</h2>
        <ul class="items">${app.accounts().map((account) => this.#account(account, me))}</ul>
        <p class="field-hint">${t("settings.accounts.hint")}</p>
        <div class="buttons">
          <button class="button" @click=${useAnother}>${icon("user-plus")}${t("settings.accounts.another")}</button>
          <button class="button" @click=${signOutHere}>${icon("log-out")}${t("settings.sign_out")}</button>
        </div>
      </section>
    `;
  }

  /** @param {import("../../types.js").Account} account @param {import("../../types.js").User | null} me */
  #account(account, me) {
    const current = account.user_id === app.client?.account.user_id;
    const name = (current && me?.nickname) || account.username;
    return html`<li class="item">
      <myim-avatar .name=${name} .number=${account.user_id} .picture=${current ? (me?.avatar ?? "") : ""} .size=${40}></myim-avatar>
      <span class="item-text">
        <strong dir="auto">${name}</strong>
        ${current ? html`<span class="muted">${t("settings.accounts.this_tab")}</span>` : nothing}
      </span>
      ${current
        ? nothing
        : html`<button
            class="button"
            aria-label=${t("settings.accounts.switch_to", { name })}
            @click=${() => switchTo(account)}
          >
            ${t("settings.accounts.switch")}
          </button>`}
    </li>`;
  }
}

/** Opens the sign-in in this tab; the others stay as they are. */
function useAnother() {
  useNoAccount();
  begin();
}

/** @param {import("../../types.js").Account} account */
function switchTo(account) {
  app.switchTo(account);
  begin();
}

/** What belonged to one account must not be open for the next: the page starts anew. */
function begin() {
  history.replaceState(null, "", href("chats"));
  location.reload();
}

customElements.define("myim-account-settings", AccountSettings);
