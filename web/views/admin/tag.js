import { html } from "../../vendor/lit.js";

/**
 * A word that stands beside a name.
 * @param {string} text
 * @param {"" | "good" | "warn" | "bad" | "accent"} [kind]
 */
export function tag(text, kind = "") {
  return html`<span class="tag ${kind}">${text}</span>`;
}
