import { t } from "../i18n/index.js";
import { go, href } from "../state/router.js";
import { Element } from "../ui/element.js";
import { icon } from "../ui/icon.js";
import { followWidth, roleOfList } from "../ui/narrow.js";
import { html, keyed, nothing } from "../vendor/lit.js";

/**
 * @typedef {object} Section
 * @property {string} name as in the address
 * @property {keyof typeof import("../vendor/icons.js").icons} icon
 * @property {() => unknown} view draws it
 * @property {string} [group] the key of a heading that stands above it in the list
 */

/**
 * A page that consists of sections: their list, and the one that is open. On a phone the list comes
 * first, and a section has the whole screen. Texts are `PAGE.title` and `PAGE.section.NAME`.
 */
export class SectionsPage extends Element {
  page = "";

  select = (/** @type {import("../types.js").State} */ { route, me }) => ({ wanted: route.parts[0], me });

  connectedCallback() {
    super.connectedCallback();
    followWidth(this);
  }

  /** @returns {Section[]} */
  sections() {
    return [];
  }

  /** What was open before. @type {string | null | undefined} */ #before = null;

  /** On a phone the focus would be lost with what had it. */
  updated() {
    const { wanted } = this.seen;
    const from = this.#before;
    this.#before = wanted;
    if (from === null || from === wanted) return;
    if (wanted) this.querySelector(".pane-body")?.scrollTo(0, 0);
    const target = wanted ? ".section-title" : `.section-link[data-name="${CSS.escape(from ?? "")}"]`;
    const lost = document.activeElement === document.body || !document.activeElement?.checkVisibility();
    if (lost) /** @type {HTMLElement | null} */ (this.querySelector(target))?.focus();
  }

  render() {
    const sections = this.sections();
    const { wanted } = this.seen;
    const open = sections.find(({ name }) => name === wanted) ?? sections[0];
    const title = t(`${this.page}.title`);
    return html`<div class="panes sections ${wanted ? "inside" : ""}">
      <nav class="pane" role=${roleOfList(Boolean(wanted))} aria-label=${title}>
        <div class="pane-head">${wanted ? html`<p class="pane-title">${title}</p>` : html`<h1>${title}</h1>`}</div>
        <ul class="pane-body section-list">
          ${sections.map((section) => this.#link(section, section === open))}
        </ul>
      </nav>
      <main class="pane">
        <div class="pane-head">
          <button class="icon-button back" aria-label=${t("action.back")} @click=${() => go(href(this.page))}>${icon("arrow-left")}</button>
          ${this.#heading(t(`${this.page}.section.${open.name}`), Boolean(wanted))}
        </div>
        <div class="pane-body">${keyed(open.name, html`<div class="sheet">${open.view()}</div>`)}</div>
      </main>
    </div>`;
  }

  /** A page has one heading of the first level: of the list if nothing was chosen. @param {string} text @param {boolean} first */
  #heading(text, first) {
    return first
      ? html`<h1 class="section-title" tabindex="-1">${text}</h1>`
      : html`<h2 class="section-title" tabindex="-1">${text}</h2>`;
  }

  /** @param {Section} section @param {boolean} current */
  #link({ name, icon: drawing, group }, current) {
    return html`${group ? html`<li class="section-group">${t(group)}</li>` : nothing}
      <li>
        <a class="section-link" data-name=${name} href=${href(this.page, name)} aria-current=${current ? "page" : nothing}>
          ${icon(drawing)}<span>${t(`${this.page}.section.${name}`)}</span>${icon("chevron-right", "section-go")}
        </a>
      </li>`;
  }
}
