/** @import { Contact } from "../../types.js" */
import { currentLanguage, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { contactName, findContacts } from "../../state/matching.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import "../../ui/rows.js";

const ROW_REM = 3.25;

/**
 * Chooses several of one's contacts. `chosen` holds their ids; `left` those that cannot be chosen.
 * It says `picked` when somebody was added or taken out.
 */
export class MemberPicker extends Element {
  static properties = { chosen: { state: true }, left: { attribute: false }, query: { state: true } };

  select = (/** @type {import("../../types.js").State} */ { contacts }) => ({ contacts });

  constructor() {
    super();
    /** @type {Set<string>} */
    this.chosen = new Set();
    /** @type {Set<string>} */
    this.left = new Set();
    this.query = "";
  }

  render() {
    const { contacts } = this.seen;
    const found = findContacts(app.store.state, this.query, currentLanguage()).filter(({ user }) => !this.left.has(user.id));
    return html`
      ${this.chosen.size ? this.#chips() : nothing}
      <input
        class="input"
        type="search"
        autocomplete="off"
        aria-label=${t("new_chat.filter")}
        placeholder=${t("new_chat.filter")}
        .value=${this.query}
        @input=${(/** @type {InputEvent} */ event) => (this.query = /** @type {HTMLInputElement} */ (event.target).value)}
        @keydown=${(/** @type {KeyboardEvent} */ event) => this.#keydown(event, found)}
      />
      ${found.length
        ? html`<myim-rows
            class="scroller"
            .label=${t("new_chat.contacts")}
            .items=${found}
            .key=${idOf}
            .height=${tall}
            .draw=${(/** @type {Contact} */ contact, /** @type {0 | -1} */ tabindex) => this.#row(contact, tabindex)}
          ></myim-rows>`
        : html`<p class="empty">${t(contacts.size ? "new_chat.no_match" : "new_chat.none")}</p>`}
    `;
  }

  #chips() {
    const { contacts } = this.seen;
    return html`<ul class="chips" aria-label=${t("people.chosen")}>
      ${[...this.chosen].map((id) => {
        const contact = contacts.get(id);
        const name = contact ? contactName(app.store.state, contact) : id;
        return html`<li>
          <button type="button" class="chip" aria-label=${t("people.unchoose", { name })} @click=${() => this.#turn(id)}>
            <bdi class="ellipsis">${name}</bdi>${icon("x")}
          </button>
        </li>`;
      })}
    </ul>`;
  }

  /** @param {Contact} contact @param {0 | -1} tabindex */
  #row(contact, tabindex) {
    const { user } = contact;
    const chosen = this.chosen.has(user.id);
    const name = contactName(app.store.state, contact);
    return html`<button type="button" class="row low" role="checkbox" aria-checked=${chosen} tabindex=${tabindex} @click=${() => this.#turn(user.id)}>
      <myim-avatar .name=${name} .number=${user.id} .picture=${user.avatar} .size=${36}></myim-avatar>
      <bdi class="row-name ellipsis">${name}</bdi>
      <span class="row-space"></span>
      <span class="box">${chosen ? icon("check") : nothing}</span>
    </button>`;
  }

  /** @param {string} id */
  #turn(id) {
    const chosen = new Set(this.chosen);
    if (!chosen.delete(id)) chosen.add(id);
    this.chosen = chosen;
    this.dispatchEvent(new CustomEvent("picked"));
  }

  /** @param {KeyboardEvent} event @param {Contact[]} found */
  #keydown(event, found) {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") {
      event.preventDefault();
      /** @type {any} */ (this.querySelector("myim-rows"))?.focusFirst();
    } else if (event.key === "Enter") {
      // Not what the form around is for.
      event.preventDefault();
      const first = found[0];
      if (!this.query.trim() || !first) return;
      this.#turn(first.user.id);
      this.query = "";
    } else if (event.key === "Backspace" && this.query === "") {
      const last = [...this.chosen].at(-1);
      if (last) this.#turn(last);
    }
  }
}

/** @param {Contact} contact */
function idOf({ user }) {
  return user.id;
}

function tall() {
  return ROW_REM;
}

customElements.define("myim-member-picker", MemberPicker);
