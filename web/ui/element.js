import { onLanguage } from "../i18n/index.js";
import { app } from "../state/app.js";
import { LitElement } from "../vendor/lit.js";

/** @typedef {import("../types.js").State} State */

/**
 * What all components of ours are made of: they draw into the page itself, so that one set of styles
 * and labels that point across components work, and anew when the language changes.
 */
export class Element extends LitElement {
  /** @type {(() => void)[]} */ #ends = [];

  /** Ends with the component being taken out of the page. */
  lifetime = new AbortController();

  /** @returns {HTMLElement} */
  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.lifetime = new AbortController();
    this.#ends.push(onLanguage(() => this.requestUpdate()));
    if (this.select) {
      this.#seen = this.select(app.store.state);
      this.#ends.push(app.store.subscribe((state) => this.#look(state)));
      this.requestUpdate();
    }
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.lifetime.abort();
    for (const end of this.#ends.splice(0)) end();
  }

  /**
   * What of the state the component shows, as an object. It is drawn anew when one of the values is
   * another one than before. `this.seen` holds the last.
   * @type {((state: State) => Record<string, any>) | undefined}
   */
  select = undefined;

  /** @type {Record<string, any>} */ #seen = {};

  get seen() {
    return this.select ? this.select(app.store.state) : {};
  }

  /** @param {State} state */
  #look(state) {
    if (!this.select) return;
    const now = this.select(state);
    const keys = new Set([...Object.keys(now), ...Object.keys(this.#seen)]);
    for (const key of keys) {
      if (now[key] !== this.#seen[key]) {
        this.#seen = now;
        return this.requestUpdate();
      }
    }
  }
}
