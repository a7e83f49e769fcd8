import { formatBytes, formatNumber, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";
import { admin } from "./admin_api.js";
import { failed, loading } from "./loading.js";

/** @typedef {{files: number, bytes: number}} Room */
/** @typedef {Room & {unused: Room, legacy: Room, gone: number}} Kept */

/** How much room everything takes. */
export class AdminStorage extends Element {
  static properties = { kept: { state: true }, database: { state: true }, failure: { state: true } };

  constructor() {
    super();
    /** @type {Kept | null} */
    this.kept = null;
    this.database = 0;
    /** @type {Problem | null} */
    this.failure = null;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  async #load() {
    try {
      const [kept, stats] = await Promise.all([admin().get("/files", undefined), admin().get("/stats", undefined)]);
      this.kept = kept;
      this.database = stats.database_bytes;
      this.failure = null;
    } catch (error) {
      this.failure = Problem.of(error);
    }
  }

  render() {
    const { kept } = this;
    if (this.failure) return failed(this.failure, () => void this.#load());
    if (!kept) return loading();
    const used = { files: kept.files - kept.unused.files - kept.legacy.files, bytes: kept.bytes - kept.unused.bytes - kept.legacy.bytes };
    return html`
      <div class="tiles">
        ${tile(t("admin.storage.database"), formatBytes(this.database))} ${tile(t("admin.storage.files"), formatBytes(kept.bytes), t("admin.storage.count", { count: kept.files }))}
      </div>
      <section class="card" aria-labelledby="storage-why">
        <h2 id="storage-why">${t("admin.storage.why")}</h2>
        <ul class="items">
          ${this.#share("used", used)} ${this.#share("legacy", kept.legacy)} ${this.#share("unused", kept.unused)}
        </ul>
        <p class="field-hint">${t("admin.storage.gone", { count: kept.gone })}</p>
      </section>
    `;
  }

  /** @param {"used" | "legacy" | "unused"} kind @param {Room} room */
  #share(kind, { files, bytes }) {
    const label = t(`admin.storage.${kind}`);
    return html`<li class="item">
      <span class="item-text">
        <strong>${label}</strong>
        <span class="muted">${t(`admin.storage.${kind}_hint`)}</span>
        <meter min="0" max=${Math.max(this.kept?.bytes ?? 0, 1)} .value=${Math.max(bytes, 0)} aria-label=${label}></meter>
      </span>
      <span class="item-number">${formatBytes(Math.max(bytes, 0))}<span class="muted">${t("admin.storage.count", { count: Math.max(files, 0) })}</span></span>
    </li>`;
  }
}

/**
 * A number that is worth a look.
 * @param {string} label
 * @param {string | number} value
 * @param {unknown} [more]
 */
export function tile(label, value, more = "") {
  return html`<div class="card tile">
    <span class="tile-label">${label}</span>
    <strong class="tile-value">${typeof value === "number" ? formatNumber(value) : value}</strong>
    <span class="muted">${more}</span>
  </div>`;
}

customElements.define("myim-admin-storage", AdminStorage);
