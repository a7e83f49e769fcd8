import { formatFull, formatWhen, t } from "../../i18n/index.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { Paged } from "./paged.js";
import { searchField } from "./search_field.js";
import { tag } from "./tag.js";

/** @typedef {{time: string, level: "warn" | "error", target: string, message: string, fields: Record<string, string>}} ErrorLine */

/**
 * What went wrong lately, as the server wrote it into its log.
 * @extends {Paged<ErrorLine>}
 */
export class AdminErrors extends Paged {
  static properties = { ...Paged.properties, text: { state: true } };

  path = "/errors";

  constructor() {
    super();
    this.text = "";
  }

  render() {
    const text = this.text.trim().toLowerCase();
    const shown = this.items?.filter((line) => JSON.stringify(line).toLowerCase().includes(text)) ?? null;
    return html`
      <div class="filters">
        ${searchField({ label: t("admin.errors.search"), value: this.text, change: (typed) => (this.text = typed) })}
        <button class="button" ?disabled=${this.busy} @click=${() => void this.load()}>${icon("refresh-cw")}${t("admin.refresh")}</button>
      </div>
      ${this.list((line) => line, errorItem, t("admin.errors.none"), shown)}
    `;
  }
}

/** @param {ErrorLine} line */
function errorItem({ time, level, target, message, fields }) {
  const bad = level === "error";
  return html`<li class="item top">
    <span class="item-icon ${bad ? "bad" : "warn"}">${icon(bad ? "circle-alert" : "triangle-alert")}</span>
    <span class="item-text">
      <span class="mono" dir="auto">${message}</span>
      <span class="muted">
        ${tag(t(bad ? "admin.errors.error" : "admin.errors.warning"), bad ? "bad" : "warn")}
        <time class="dot-between" datetime=${time} title=${formatFull(time)}>${formatWhen(time)}</time>
        <span class="dot-between mono">${target}</span>
      </span>
      ${Object.keys(fields).length
        ? html`<dl class="facts small">${Object.entries(fields).map(([name, value]) => html`<dt class="mono">${name}</dt><dd class="mono" dir="auto">${value}</dd>`)}</dl>`
        : nothing}
    </span>
  </li>`;
}

customElements.define("myim-admin-errors", AdminErrors);
