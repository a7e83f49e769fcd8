import { t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { admin } from "./admin_api.js";
import { failed, loading } from "./loading.js";
import { searchField } from "./search_field.js";
import { tag } from "./tag.js";

/** @typedef {{name: string, value: unknown, source: "default" | "file" | "environment" | "flag"}} Setting */

/** The settings with which the server runs. They are changed in its configuration. */
export class AdminConfig extends Element {
  static properties = { config: { state: true }, failure: { state: true }, text: { state: true } };

  constructor() {
    super();
    /** @type {Setting[] | null} */
    this.config = null;
    /** @type {Problem | null} */
    this.failure = null;
    this.text = "";
  }

  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  async #load() {
    try {
      this.config = (await admin().get("/config", undefined)).items;
      this.failure = null;
    } catch (error) {
      this.failure = Problem.of(error);
    }
  }

  render() {
    if (this.failure) return failed(this.failure, () => void this.#load());
    if (!this.config) return loading();
    const text = this.text.trim().toLowerCase();
    const found = this.config.filter(({ name, value }) => `${name} ${shown(value)}`.toLowerCase().includes(text));
    return html`
      <p class="note">${icon("info")}<span>${t("admin.config.how")}</span></p>
      <div class="filters">${searchField({ label: t("admin.config.search"), value: this.text, change: (typed) => (this.text = typed) })}</div>
      <div class="card">
        ${found.length
          ? html`<dl class="facts wide">
              ${found.map(
                ({ name, value, source }) => html`<dt class="mono">${name}</dt>
                  <dd><span class="mono ${value === null ? "muted" : ""}" dir="auto">${shown(value)}</span> ${source === "default" ? nothing : tag(t(`admin.config.source.${source}`), "accent")}</dd>`,
              )}
            </dl>`
          : html`<p class="muted" role="status">${t("admin.none_found")}</p>`}
      </div>
    `;
  }
}

/** @param {unknown} value */
function shown(value) {
  if (value === null || value === "") return t("admin.config.not_set");
  return typeof value === "string" ? value : JSON.stringify(value);
}

customElements.define("myim-admin-config", AdminConfig);
