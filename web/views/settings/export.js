import { describe, formatBytes, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { app } from "../../state/app.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { guardLeaving } from "../leaving.js";
import { readExport } from "./export_reader.js";

/** Everything that the server keeps of the user, as a file. */
export class ExportSettings extends Element {
  static properties = { stage: { state: true }, lines: { state: true }, bytes: { state: true }, failure: { state: true } };

  constructor() {
    super();
    /** @type {"none" | "running" | "done" | "failed"} */
    this.stage = "none";
    this.lines = 0;
    this.bytes = 0;
    this.failure = "";
    this.stop = new AbortController();
  }

  connectedCallback() {
    super.connectedCallback();
    guardLeaving({
      what: "running",
      unsaved: () => this.stage === "running",
      discard: () => this.stop.abort(),
      signal: this.lifetime.signal,
    });
    this.lifetime.signal.addEventListener("abort", () => this.stop.abort());
  }

  render() {
    return html`<section class="card form">
      <p>${t("settings.export.text")}</p>
      <p class="field-hint">${t("settings.export.format")}</p>
      <div role="status">${this.#progress()}</div>
      <div class="buttons">
        ${this.stage === "running"
          ? html`<button class="button" @click=${() => this.stop.abort()}>${t("action.cancel")}</button>`
          : html`<button class="button primary" @click=${this.#start}>${icon("download")}${t("settings.export.start")}</button>`}
      </div>
    </section>`;
  }

  #progress() {
    const done = { count: this.lines, size: formatBytes(this.bytes) };
    if (this.stage === "running") {
      return html`<p class="note">${icon("loader-circle", "spin")}<span aria-hidden="true">${t("settings.export.running", done)}</span>
        <span class="hidden-text">${t("settings.export.running_short")}</span></p>`;
    }
    if (this.stage === "done") return html`<p class="note good">${icon("check")}${t("settings.export.done", done)}</p>`;
    if (this.stage === "failed") return html`<p class="note error">${icon("circle-alert")}${this.failure}</p>`;
    return nothing;
  }

  async #start() {
    const { client } = app;
    if (!client) return;
    this.stop = new AbortController();
    this.stage = "running";
    this.lines = this.bytes = 0;
    try {
      const response = await client.api.exportMe();
      const parts = await readExport(response, this.stop.signal, (lines, bytes) => {
        this.lines = lines;
        this.bytes = bytes;
      });
      save(new Blob(parts, { type: "application/x-ndjson" }), `myim-${client.account.username}-${today()}.ndjson`);
      this.stage = "done";
    } catch (error) {
      const { code } = Problem.of(error);
      this.failure = code === "incomplete" ? t("settings.export.incomplete") : code === "rate_limited" ? t("settings.export.busy") : describe(error);
      this.stage = this.stop.signal.aborted ? "none" : "failed";
    }
  }
}

function today() {
  return new Date().toISOString().slice(0, 10);
}

/** @param {Blob} file @param {string} name */
function save(file, name) {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken hold of it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

customElements.define("myim-export-settings", ExportSettings);
