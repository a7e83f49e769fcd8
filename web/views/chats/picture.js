/** @import { Segment } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { app } from "../../state/app.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { openPart } from "../../ui/open_part.js";
import { styles } from "../../ui/styles.js";
import { thumbhashUrl } from "../../ui/thumbhash.js";
import { html, nothing } from "../../vendor/lit.js";
import { lightbox } from "../parts.js";

/** The box that a picture is shown in, in pixels. */
const WIDTH_MAX = 360;
const HEIGHT_MAX = 360;
const SIDE_MIN = 72;
/** The longer side of the rendition `thumb`. */
const THUMB_PIXELS = 320;
/** What is not told is shown as a landscape. */
const UNKNOWN = { width: 240, height: 180 };

/** @typedef {Extract<Segment, {type: "image"}>} ImageSegment */

/**
 * A picture of a message: its place is as large as the picture will be from the start, and shows a
 * blurred one until it is there.
 */
class Picture extends Element {
  static properties = { segment: { attribute: false }, conversationId: { attribute: false }, url: { state: true }, there: { state: true }, problem: { state: true } };

  constructor() {
    super();
    /** @type {ImageSegment | undefined} */
    this.segment = undefined;
    this.conversationId = "";
    this.url = "";
    this.there = false;
    /** @type {string | null} */
    this.problem = null;
  }

  /** @param {Map<string, any>} changed */
  willUpdate(changed) {
    if (changed.has("segment") && changed.get("segment")?.file !== this.segment?.file) void this.#load();
  }

  async #load() {
    const { segment } = this;
    const { client } = app;
    if (!segment || !client) return;
    this.problem = null;
    this.url = client.uploads.previews.of(segment.file) ?? "";
    if (this.url) return;
    const size = sizeOf(segment);
    const pixels = Math.max(size.width, size.height) * devicePixelRatio;
    try {
      const url = await client.files.rendition(segment.file, pixels > THUMB_PIXELS ? "preview" : "thumb");
      if (segment.file === this.segment?.file) this.url = url;
    } catch (error) {
      this.problem = Problem.of(error).code;
    }
  }

  #failed = () => {
    if (!this.there) this.problem = "network";
  };

  render() {
    const { segment } = this;
    if (!segment) return nothing;
    if (this.problem) return this.#broken(segment);
    const { width, height } = sizeOf(segment);
    const hash = this.there ? null : thumbhashUrl(segment.thumbhash);
    const label = segment.name ? t("compose.picture_named", { name: segment.name }) : t("compose.picture");
    return html`<div class="picture-frame" ${styles({ "--width": `${width}px`, "--ratio": `${width} / ${height}` })}>
      <button
        type="button"
        class="picture"
        aria-label=${label}
        ${styles({ "background-image": hash ? `url("${hash}")` : null })}
        @click=${async () => (await openPart(lightbox))?.openLightbox(this.conversationId, segment)}
      >
        ${this.url
          ? html`<img src=${this.url} alt="" draggable="false" class=${this.there ? "there" : ""} @load=${() => (this.there = true)} @error=${this.#failed} />`
          : nothing}
      </button>
    </div>`;
  }

  /** @param {ImageSegment} segment */
  #broken(segment) {
    const gone = this.problem === "file_gone";
    const { width, height } = sizeOf(segment);
    return html`<div class="picture-frame" ${styles({ "--width": `${Math.max(width, 160)}px`, "--ratio": `${width} / ${height}` })}>
      <div class="picture broken">
        ${icon("image")}
        <span>${gone ? t("compose.picture_gone") : t("compose.picture_failed")}</span>
        ${gone ? nothing : html`<button type="button" class="link-button" @click=${() => void this.#load()}>${t("action.retry")}</button>`}
      </div>
    </div>`;
  }
}

/** How large a picture is shown. @param {{width: number, height: number}} segment */
export function sizeOf({ width, height }) {
  if (!width || !height) return UNKNOWN;
  const scale = Math.min(1, WIDTH_MAX / width, HEIGHT_MAX / height);
  return { width: Math.max(SIDE_MIN, Math.round(width * scale)), height: Math.max(SIDE_MIN, Math.round(height * scale)) };
}

customElements.define("myim-picture", Picture);
