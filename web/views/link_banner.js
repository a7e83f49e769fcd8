import { t } from "../i18n/index.js";
import { app } from "../state/app.js";
import { Element } from "../ui/element.js";
import { icon } from "../ui/icon.js";
import { html, nothing } from "../vendor/lit.js";

/** A connection that is back within this is not worth a word: the first attempt is made after a second. */
const PATIENCE_MS = 2_500;

/** Says that there is no connection, and when the next attempt is made. */
export class LinkBanner extends Element {
  static properties = { shown: { state: true } };

  select = (/** @type {import("../types.js").State} */ { link, linkRetryAt }) => ({ link, linkRetryAt });

  constructor() {
    super();
    this.shown = false;
  }

  connectedCallback() {
    super.connectedCallback();
    const timer = setInterval(() => this.requestUpdate(), 1000);
    this.lifetime.signal.addEventListener("abort", () => clearInterval(timer));
  }

  updated() {
    const broken = this.seen.link !== "online";
    if (broken && !this.#since) {
      this.#since = setTimeout(() => (this.shown = true), PATIENCE_MS);
    } else if (!broken) {
      clearTimeout(this.#since);
      this.#since = undefined;
      this.shown = false;
    }
  }

  /** @type {number | undefined} */ #since;

  render() {
    const { link, linkRetryAt } = this.seen;
    if (!this.shown || link === "online") return html`<div role="status" class="hidden-text"></div>`;
    const seconds = Math.ceil((linkRetryAt - Date.now()) / 1000);
    const text =
      link === "connecting" ? t("link.connecting") : seconds > 1 ? t("link.offline_in", { count: seconds }) : t("link.offline");
    return html`<div role="status" class="link-banner">
      ${icon(link === "connecting" ? "loader-circle" : "cloud-off", link === "connecting" ? "spin" : "")}
      <span>${text}</span>
      ${link === "offline"
        ? html`<button class="link-button" @click=${() => app.client?.link.wake()}>${t("link.try_now")}</button>`
        : nothing}
    </div>`;
  }
}

customElements.define("myim-link-banner", LinkBanner);
