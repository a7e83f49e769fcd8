import { app } from "../state/app.js";
import { nameAlone } from "../state/namesakes.js";
import { html, nothing } from "../vendor/lit.js";
import { Element } from "./element.js";
import { styles } from "./styles.js";

/** How many colors there are, as in `styles/tokens.css`. */
const COLORS = 8;

/**
 * The picture of a user or a group: its own, a drawing for a built-in one, or its initials, on a color
 * that stays with its id.
 * Attributes: `name`, `number` (the id), `picture` (the name of a picture or `builtin:N`), `size` in
 * pixels, `status` for the dot. It says nothing to screen readers: the name stands beside it.
 */
export class Avatar extends Element {
  static properties = {
    name: {},
    number: {},
    picture: {},
    size: { type: Number },
    status: {},
    url: { state: true },
    drawing: { state: true },
  };

  constructor() {
    super();
    this.name = "";
    this.number = "0";
    this.picture = "";
    this.size = 40;
    this.status = "";
    this.url = "";
    /** What stands for a built-in picture: the path of an SVG, in cells. */
    this.drawing = "";
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("picture") || changed.has("size")) void this.#load();
  }

  async #load() {
    const { picture } = this;
    this.url = "";
    this.drawing = "";
    if (picture?.startsWith("builtin:")) return this.#draw(picture);
    if (!picture || !app.client) return;
    const pixels = this.size * devicePixelRatio;
    const rendition = pixels <= 64 ? "avatar64" : pixels <= 128 ? "avatar128" : "avatar256";
    try {
      const url = await app.client.files.rendition(picture, rendition);
      if (picture === this.picture) this.url = url;
    } catch {
      // The initials stand for it.
    }
  }

  /**
   * Such pictures only the existing clients have, and few people chose one: number 0 is everybody's who
   * did not.
   * @param {string} picture
   */
  async #draw(picture) {
    const number = Number(picture.slice("builtin:".length));
    if (!(number > 0)) return;
    const loaded = await import("./builtin_avatar.js").catch(() => null);
    if (loaded && picture === this.picture) this.drawing = loaded.builtinPath(number);
  }

  render() {
    const color = Number(BigInt(/^\d+$/.test(this.number) ? this.number : "0") % BigInt(COLORS));
    return html`<span class="avatar" aria-hidden="true" ${styles({ "--size": `${this.size}px`, "--avatar": `var(--avatar-${color})` })}>
      ${this.url
        ? html`<img src=${this.url} alt="" width=${this.size} height=${this.size} @error=${() => (this.url = "")} />`
        : this.drawing
          ? html`<svg class="avatar-drawing" viewBox="0 0 5 5" shape-rendering="crispEdges"><path d=${this.drawing} /></svg>`
          : initials(this.name)}
      ${this.status && this.status !== "offline" ? html`<span class="dot ${this.status}"></span>` : nothing}
    </span>`;
  }
}

/** @param {string} name */
function initials(name) {
  const words = nameAlone(name).match(/[\p{L}\p{N}]+/gu) ?? [];
  const first = [...(words[0] ?? "?")];
  // A Chinese name is told by its end.
  if (/\p{Script=Han}/u.test(words[0] ?? "")) return first.slice(-2).join("");
  const last = words.length > 1 ? [...(words.at(-1) ?? "")][0] : "";
  return ((first[0] ?? "?") + last).toLocaleUpperCase();
}

customElements.define("myim-avatar", Avatar);
