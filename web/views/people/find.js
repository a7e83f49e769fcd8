import { t } from "../../i18n/index.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { html, nothing } from "../../vendor/lit.js";
import { detail } from "./detail.js";
import "./find_group.js";
import "./find_people.js";

/** Where one looks for people and groups that one does not know yet. */
export class Find extends Element {
  static properties = { what: {} };

  constructor() {
    super();
    /** @type {"people" | "groups"} */
    this.what = "people";
  }

  render() {
    const tab = (/** @type {"people" | "groups"} */ what, /** @type {string} */ address) =>
      html`<a class="people-tab" href=${address} aria-current=${this.what === what ? "page" : nothing}>${t(`people.find_${what}`)}</a>`;
    const content = html`
      <nav class="people-tabs" aria-label=${t("people.find")}>
        ${tab("people", href("people", "find"))} ${tab("groups", `${href("people", "find")}?what=groups`)}
      </nav>
      ${this.what === "groups" ? html`<myim-find-group></myim-find-group>` : html`<myim-find-people></myim-find-people>`}
    `;
    return detail(t("people.find"), content);
  }
}

customElements.define("myim-find", Find);
