/** @import { Segment } from "../../types.js" */
import { describe, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { nameOf } from "../../state/conversations.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { styles } from "../../ui/styles.js";
import { thumbhashUrl } from "../../ui/thumbhash.js";
import { toast } from "../../ui/toast.js";
import { html, keyed, nothing } from "../../vendor/lit.js";
import { download } from "./download.js";
import { Zoom } from "./zoom.js";

/** @typedef {Extract<Segment, {type: "image"}>} ImageSegment */
/** @typedef {{segment: ImageSegment, sender: string}} Shown */

/**
 * Shows a picture as large as the screen, among the other pictures of its conversation.
 * @param {string} conversation
 * @param {ImageSegment} segment
 */
export function openLightbox(conversation, segment) {
  const { state } = app.store;
  const pictures = picturesOf(conversation);
  const at = pictures.findIndex((one) => one.segment === segment);
  const dialog = document.createElement("dialog");
  dialog.className = "lightbox";
  dialog.setAttribute("aria-label", t("compose.lightbox"));
  const view = /** @type {Lightbox} */ (document.createElement("myim-lightbox"));
  view.pictures = at < 0 ? [{ segment, sender: "" }] : pictures;
  view.at = Math.max(0, at);
  view.groupId = state.conversations.get(conversation)?.group?.id;
  view.addEventListener("leave", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(view);
  document.body.append(dialog);
  dialog.showModal();
}

/** Those that are loaded, the oldest first. @param {string} conversation @returns {Shown[]} */
function picturesOf(conversation) {
  const messages = app.store.state.windows.get(conversation)?.messages ?? [];
  return messages.flatMap(({ segments, sender }) =>
    segments.flatMap((segment) => (segment.type === "image" ? [{ segment, sender }] : [])),
  );
}

/** One picture after the other, as large as there is room, or larger. */
class Lightbox extends Element {
  static properties = { pictures: { attribute: false }, at: { state: true }, url: { state: true }, there: { state: true }, failed: { state: true } };

  constructor() {
    super();
    /** @type {Shown[]} */
    this.pictures = [];
    this.at = 0;
    this.url = "";
    this.there = false;
    this.failed = "";
    /** @type {string | undefined} */
    this.groupId = undefined;
    this.zoom = new Zoom(() => this.requestUpdate());
  }

  connectedCallback() {
    super.connectedCallback();
    // Not here only: an arrow that was pressed is gone at the last picture, and the focus with it.
    document.addEventListener("keydown", this.#key, { signal: this.lifetime.signal });
    void this.#load();
  }

  firstUpdated() {
    this.zoom.listen(/** @type {HTMLElement} */ (this.querySelector(".lightbox-stage")), this.lifetime.signal);
    /** @type {HTMLElement | null} */ (this.querySelector(".lightbox-close"))?.focus();
  }

  get #picture() {
    return /** @type {Shown} */ (this.pictures[this.at]);
  }

  async #load() {
    const { segment } = this.#picture;
    this.there = false;
    this.failed = "";
    this.zoom.reset();
    this.url = app.client?.uploads.previews.of(segment.file) ?? "";
    if (this.url) return;
    try {
      const found = await app.client?.files.address(segment.file, "image");
      if (segment === this.#picture.segment) this.url = found?.url ?? "";
    } catch (error) {
      if (segment === this.#picture.segment) this.failed = describe(error);
    }
  }

  /** @param {number} step */
  #go(step) {
    const next = this.at + step;
    if (next < 0 || next >= this.pictures.length) return;
    this.at = next;
    void this.#load();
  }

  #save = async () => {
    const { segment } = this.#picture;
    try {
      await download(segment.file, segment.name ?? "", "image");
    } catch (error) {
      toast(describe(error), "error");
    }
  };

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    const rtl = getComputedStyle(this).direction === "rtl";
    const work = {
      ArrowLeft: () => this.#go(rtl ? 1 : -1),
      ArrowRight: () => this.#go(rtl ? -1 : 1),
      Home: () => this.#go(-this.at),
      End: () => this.#go(this.pictures.length - 1 - this.at),
      "+": () => this.zoom.by(1.5),
      "=": () => this.zoom.by(1.5),
      "-": () => this.zoom.by(1 / 1.5),
      0: () => this.zoom.reset(),
    }[event.key];
    if (!work) return;
    event.preventDefault();
    work();
  };

  /** A click beside the picture ends it. @param {Event} event */
  #click = (event) => {
    if (/** @type {HTMLElement} */ (event.target).classList.contains("lightbox-stage") && !this.zoom.moved) this.#leave();
  };

  #leave = () => this.dispatchEvent(new CustomEvent("leave"));

  render() {
    const { segment, sender } = this.#picture;
    const { scale, x, y } = this.zoom;
    const name = segment.name || t("compose.picture");
    const who = sender ? nameOf(app.store.state, sender, this.groupId) : "";
    return html`<div class="lightbox-box">
      <header class="lightbox-head">
        <span class="lightbox-title"><bdi class="ellipsis">${name}</bdi><bdi class="ellipsis lightbox-sender">${who}</bdi></span>
        <span class="hidden-text" role="status">${t("compose.picture_of", { at: this.at + 1, count: this.pictures.length })}</span>
        ${this.#button("zoom-out", "compose.zoom_out", () => this.zoom.by(1 / 1.5), scale <= 1)}
        ${this.#button("zoom-in", "compose.zoom_in", () => this.zoom.by(1.5), scale >= 8)}
        ${this.#button("download", "compose.save", this.#save)}
        <button type="button" class="icon-button lightbox-close" aria-label=${t("action.close")} title=${t("action.close")} @click=${this.#leave}>${icon("x")}</button>
      </header>
      <div class="lightbox-stage ${scale > 1 ? "zoomed" : ""}" @click=${this.#click}>
        ${this.failed ? html`<p class="lightbox-failed">${this.failed}</p>` : keyed(segment, this.#image(segment, name, scale, x, y))}
      </div>
      ${this.at > 0 ? this.#arrow("previous", -1) : nothing} ${this.at < this.pictures.length - 1 ? this.#arrow("next", 1) : nothing}
    </div>`;
  }

  /** @param {ImageSegment} segment @param {string} name @param {number} scale @param {number} x @param {number} y */
  #image(segment, name, scale, x, y) {
    const hash = this.there ? null : thumbhashUrl(segment.thumbhash);
    const place = { "--scale": scale, "--x": `${x}px`, "--y": `${y}px`, "background-image": hash ? `url("${hash}")` : null };
    // Without its address there is nothing to show yet but what is blurred.
    return html`<img
      class="lightbox-image"
      src=${this.url || nothing}
      alt=${name}
      width=${segment.width || nothing}
      height=${segment.height || nothing}
      draggable="false"
      ${styles(place)}
      @load=${() => (this.there = true)}
      @error=${() => (this.failed = this.url ? t("compose.picture_failed") : "")}
    />`;
  }

  /** @param {"zoom-in" | "zoom-out" | "download"} drawing @param {string} label @param {() => void} run @param {boolean} [disabled] */
  #button(drawing, label, run, disabled = false) {
    return html`<button type="button" class="icon-button" aria-label=${t(label)} title=${t(label)} ?disabled=${disabled} @click=${run}>${icon(drawing)}</button>`;
  }

  /** @param {"previous" | "next"} side @param {number} step */
  #arrow(side, step) {
    return html`<button type="button" class="icon-button lightbox-arrow ${side}" aria-label=${t(`compose.${side}`)} @click=${() => this.#go(step)}>
      ${icon("chevron-right")}
    </button>`;
  }
}

customElements.define("myim-lightbox", Lightbox);
