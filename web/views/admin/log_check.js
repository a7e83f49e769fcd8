import { describe, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { guardLeaving } from "../leaving.js";
import { lines } from "./json_lines.js";

/** Findings beyond these are counted only. */
const SHOWN_MAX = 500;

/** @typedef {{kind: string, conversation?: string, text: string}} Finding */

/** Has the server look through its whole database for what cannot be. */
export class AdminLogCheck extends Element {
  static properties = { stage: { state: true }, seenSoFar: { state: true }, findings: { state: true }, failure: { state: true } };

  constructor() {
    super();
    /** @type {"none" | "running" | "done" | "failed"} */
    this.stage = "none";
    this.seenSoFar = { conversations: 0, entries: 0 };
    /** @type {Finding[]} */
    this.findings = [];
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
    return html`
      <section class="card form">
        <p>${t("admin.check.text")}</p>
        <div role="status">${this.#progress()}</div>
        <div class="buttons">
          ${this.stage === "running"
            ? html`<button class="button" @click=${() => this.stop.abort()}>${t("action.cancel")}</button>`
            : html`<button class="button primary" @click=${this.#start}>${icon("shield")}${t(this.stage === "none" ? "admin.check.start" : "admin.check.again")}</button>`}
        </div>
      </section>
      ${this.findings.length
        ? html`<section class="card" aria-labelledby="check-findings">
            <h2 id="check-findings">${t("admin.check.findings", { count: this.findings.length })}</h2>
            <ul class="items">${this.findings.slice(0, SHOWN_MAX).map(finding)}</ul>
          </section>`
        : nothing}
    `;
  }

  #progress() {
    const { conversations, entries } = this.seenSoFar;
    const far = [t("admin.check.conversations", { count: conversations }), t("admin.check.entries", { count: entries })].join(" · ");
    if (this.stage === "running") return html`<p class="note">${icon("loader-circle", "spin")}<span>${t("admin.check.running")}<br /><span aria-hidden="true">${far}</span></span></p>`;
    if (this.stage === "failed") return html`<p class="note error">${icon("circle-alert")}${this.failure}</p>`;
    if (this.stage === "none") return nothing;
    return this.findings.length
      ? html`<p class="note warn">${icon("triangle-alert")}<span>${t("admin.check.bad", { count: this.findings.length })}<br />${far}</span></p>`
      : html`<p class="note good">${icon("check")}<span>${t("admin.check.good")}<br />${far}</span></p>`;
  }

  async #start() {
    this.stop = new AbortController();
    this.stage = "running";
    this.findings = [];
    this.seenSoFar = { conversations: 0, entries: 0 };
    try {
      const response = await app.client?.api.http.fetch("POST", "/admin/log/verify", { signal: this.stop.signal, timeout: 3_600_000 });
      if (response) await this.#read(response);
    } catch (error) {
      this.failure = describe(error);
      this.stage = this.stop.signal.aborted ? "none" : "failed";
    }
  }

  /** @param {Response} response */
  async #read(response) {
    for await (const line of lines(response)) {
      if (line.type === "finding") {
        this.findings.push(line);
        this.requestUpdate();
      } else if (line.type === "error") return this.#brokeOff();
      else this.seenSoFar = line;
      if (line.type === "end") {
        this.stage = "done";
        return;
      }
    }
    this.#brokeOff();
  }

  /** Without the last line not everything was seen. */
  #brokeOff() {
    this.failure = t("admin.check.broke_off");
    this.stage = "failed";
  }
}

/** @param {Finding} finding */
function finding({ kind, conversation, text }) {
  const key = `admin.check.kind.${kind}`;
  const name = t(key);
  return html`<li class="item">
    <span class="item-icon warn">${icon("triangle-alert")}</span>
    <span class="item-text">
      <strong>${name === key ? kind : name}</strong>
      <span dir="auto">${text}</span>
      ${conversation ? html`<span class="muted">${t("admin.check.conversation", { id: conversation })}</span>` : nothing}
    </span>
  </li>`;
}

customElements.define("myim-admin-log-check", AdminLogCheck);
