import { t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { Element } from "../../ui/element.js";
import { html, nothing, repeat } from "../../vendor/lit.js";
import { admin } from "./admin_api.js";
import { failed, loading } from "./loading.js";

/**
 * A list of the administration that comes in pieces.
 * @template T
 */
export class Paged extends Element {
  static properties = { items: { state: true }, next: { state: true }, failure: { state: true }, busy: { state: true } };

  /** Where it is asked for. */
  path = "";
  /** @type {Record<string, unknown>} */ #query = {};
  #turn = 0;

  constructor() {
    super();
    /** @type {T[] | null} */
    this.items = null;
    /** @type {string | null} */
    this.next = null;
    /** @type {Problem | null} */
    this.failure = null;
    this.busy = false;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.load(this.#query);
  }

  /** Loads the list from its beginning. @param {Record<string, unknown>} [query] the last one if not given */
  async load(query = this.#query) {
    this.#query = query;
    await this.#piece(null);
  }

  /** Shows what became of the items. @param {(items: T[]) => T[]} change */
  alter(change) {
    this.items = change(this.items ?? []);
  }

  more() {
    return this.#piece(this.next);
  }

  /** @param {string | null} cursor */
  async #piece(cursor) {
    const turn = (this.#turn += 1);
    this.busy = true;
    try {
      const { items, next } = await admin().get(this.path, { ...this.#query, cursor });
      // Somebody asked for something else meanwhile.
      if (turn !== this.#turn) return;
      this.items = cursor ? [...(this.items ?? []), ...items] : items;
      this.next = next;
      this.failure = null;
    } catch (error) {
      if (turn === this.#turn) this.failure = Problem.of(error);
    } finally {
      if (turn === this.#turn) this.busy = false;
    }
  }

  /**
   * @param {(item: T) => unknown} key
   * @param {(item: T) => unknown} draw a list item
   * @param {string} empty what is said if there is none
   * @param {T[] | null} [shown] all if not given
   */
  list(key, draw, empty, shown = this.items) {
    if (this.failure) return failed(this.failure, () => void this.load());
    if (!shown) return loading();
    return html`<div class="card">
      ${shown.length
        ? html`<ul class="items" aria-busy=${this.busy}>${repeat(shown, key, draw)}</ul>`
        : html`<p class="muted" role="status">${empty}</p>`}
      ${this.next
        ? html`<div><button class="button" ?disabled=${this.busy} @click=${() => void this.more()}>${t("admin.more")}</button></div>`
        : nothing}
    </div>`;
  }
}
