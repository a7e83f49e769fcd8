import { describe, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { icon } from "../../ui/icon.js";
import { html } from "../../vendor/lit.js";

/** While something is loaded. */
export function loading() {
  return html`<p class="muted" role="status">${t("app.loading")}</p>`;
}

/**
 * What could not be loaded, and what to do about it. An older server does not know all pages.
 * @param {unknown} error
 * @param {() => void} again
 */
export function failed(error, again) {
  const { code, status } = Problem.of(error);
  if (code === "not_found" || status === 404 || status === 405) {
    return html`<p class="note" role="status">${icon("info")}<span>${t("admin.unavailable")}</span></p>`;
  }
  return html`<div class="card" role="alert">
    <p class="note error">${icon("circle-alert")}<span>${describe(error)}</span></p>
    <div><button class="button" @click=${again}>${icon("refresh-cw")}${t("action.retry")}</button></div>
  </div>`;
}
