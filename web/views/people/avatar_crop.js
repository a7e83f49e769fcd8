import { describe, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { openDialog } from "../../ui/dialog.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html } from "../../vendor/lit.js";
import { Crop } from "./crop.js";

/** What is shown, in pixels of the page. */
const VIEW_PX = 280;
/** What is sent: twice what any view shows. */
const SAVED_PX = 512;
const JPEG_QUALITY = 0.9;
const STEP_PX = 12;
const ZOOM_STEP = 1.12;

/**
 * Lets somebody pick a picture and choose a square of it, and puts it on the image server.
 * @returns {Promise<string | undefined>} the SHA-256 under which it is there; nothing if it was left
 */
export async function chooseAvatar() {
  const file = await pick();
  if (!file) return undefined;
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (!bitmap || bitmap.width === 0 || bitmap.height === 0) {
    toast(t("people.no_picture"), "error");
    return undefined;
  }
  /** @type {string | undefined} */
  const stored = await openDialog({
    title: t("people.crop_title"),
    classes: "small",
    content: (close) => html`<myim-avatar-crop .bitmap=${bitmap} .done=${close}></myim-avatar-crop>`,
  });
  bitmap.close();
  return stored;
}

/** @returns {Promise<File | undefined>} */
function pick() {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "image/png,image/jpeg,image/webp,image/gif,image/bmp";
  return new Promise((resolve) => {
    input.addEventListener("change", () => resolve(input.files?.[0]));
    input.addEventListener("cancel", () => resolve(undefined));
    input.click();
  });
}

class AvatarCrop extends Element {
  static properties = { bitmap: { attribute: false }, done: { attribute: false }, zoom: { state: true }, busy: { state: true }, failure: { state: true } };

  /** @type {Crop | null} */ #crop = null;
  /** Fingers on the picture. @type {Map<number, {x: number, y: number}>} */ #pointers = new Map();

  constructor() {
    super();
    /** @type {ImageBitmap | null} */
    this.bitmap = null;
    /** @type {(stored: string) => void} */
    this.done = () => {};
    this.zoom = 1;
    this.busy = false;
    /** @type {unknown} */
    this.failure = null;
  }

  willUpdate() {
    if (this.bitmap && !this.#crop) this.#crop = new Crop(this.bitmap.width, this.bitmap.height);
  }

  render() {
    const scale = devicePixelRatio;
    return html`
      <canvas
        class="crop"
        width=${VIEW_PX * scale}
        height=${VIEW_PX * scale}
        tabindex="0"
        role="img"
        aria-label=${t("people.crop_label")}
        aria-describedby="crop-hint"
        @pointerdown=${this.#down}
        @pointermove=${this.#move}
        @pointerup=${this.#up}
        @pointercancel=${this.#up}
        @wheel=${this.#wheel}
        @keydown=${this.#keydown}
      ></canvas>
      <p class="field-hint" id="crop-hint">${t("people.crop_hint")}</p>
      <label class="crop-zoom">
        ${icon("zoom-out")}<span class="hidden-text">${t("people.zoom")}</span>
        <input
          type="range"
          min="1"
          max=${Crop.ZOOM_MAX}
          step="0.01"
          .value=${String(this.zoom)}
          @input=${(/** @type {InputEvent} */ event) => this.#zoomTo(Number(/** @type {HTMLInputElement} */ (event.target).value))}
        />
        ${icon("zoom-in")}
      </label>
      <div role="alert">${this.failure ? html`<p class="note error">${describe(this.failure)}</p>` : ""}</div>
      <footer class="dialog-foot">
        <button class="button primary" ?disabled=${this.busy} @click=${this.#save}>
          ${this.busy ? icon("loader-circle", "spin") : ""}${t("people.use_picture")}
        </button>
      </footer>
    `;
  }

  updated() {
    this.#draw();
  }

  get #canvas() {
    return /** @type {HTMLCanvasElement} */ (this.querySelector("canvas"));
  }

  #draw() {
    this.#paint(this.#canvas, true);
  }

  /** @param {HTMLCanvasElement} canvas @param {boolean} framed whether what is outside of the circle is dimmed */
  #paint(canvas, framed) {
    const context = canvas.getContext("2d");
    if (!context || !this.bitmap || !this.#crop) return null;
    const side = canvas.width;
    const { x, y, size } = this.#crop.square();
    context.clearRect(0, 0, side, side);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.bitmap, x, y, size, size, 0, 0, side, side);
    if (framed) {
      context.fillStyle = "rgb(0 0 0 / 45%)";
      context.beginPath();
      context.rect(0, 0, side, side);
      context.arc(side / 2, side / 2, side / 2, 0, 2 * Math.PI, true);
      context.fill();
    }
    return context;
  }

  /** @param {PointerEvent} event */
  #down = (event) => {
    this.#canvas.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  };

  /** @param {PointerEvent} event */
  #move = (event) => {
    const before = this.#pointers.get(event.pointerId);
    if (!before || !this.#crop) return;
    const now = { x: event.offsetX, y: event.offsetY };
    const others = [...this.#pointers.entries()].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const other = others[0];
    if (other) {
      const apart = (/** @type {{x: number, y: number}} */ at) => Math.hypot(at.x - other.x, at.y - other.y);
      this.#crop.zoomTo(this.#crop.zoom * (apart(now) / Math.max(1, apart(before))), this.#at(other));
    } else {
      this.#crop.move((now.x - before.x) / this.#width, (now.y - before.y) / this.#width);
    }
    this.#pointers.set(event.pointerId, now);
    this.#show();
  };

  /** @param {PointerEvent} event */
  #up = (event) => {
    this.#pointers.delete(event.pointerId);
  };

  /** @param {WheelEvent} event */
  #wheel = (event) => {
    event.preventDefault();
    this.#zoomTo((this.#crop?.zoom ?? 1) * ZOOM_STEP ** -Math.sign(event.deltaY), this.#at({ x: event.offsetX, y: event.offsetY }));
  };

  /** @param {KeyboardEvent} event */
  #keydown = (event) => {
    const step = STEP_PX / this.#width;
    /** @type {Record<string, [number, number]>} */
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const by = moves[event.key];
    if (by) this.#crop?.move(...by);
    else if (event.key === "+" || event.key === "=") this.#crop?.zoomTo(this.#crop.zoom * ZOOM_STEP);
    else if (event.key === "-") this.#crop?.zoomTo(this.#crop.zoom / ZOOM_STEP);
    else return;
    event.preventDefault();
    this.#show();
  };

  /** How wide the picture is on the screen, which on a small phone may be less. */
  get #width() {
    return this.#canvas.clientWidth || VIEW_PX;
  }

  /** A place in the square, from 0 to 1. @param {{x: number, y: number}} point */
  #at({ x, y }) {
    return { x: x / this.#width, y: y / this.#width };
  }

  /** @param {number} zoom @param {{x: number, y: number}} [at] */
  #zoomTo(zoom, at) {
    this.#crop?.zoomTo(zoom, at);
    this.#show();
  }

  #show() {
    this.zoom = this.#crop?.zoom ?? 1;
    this.#draw();
  }

  #save = async () => {
    this.busy = true;
    this.failure = null;
    try {
      const picture = await this.#picture();
      const stored = await app.client?.files.storePicture(picture, app.store.state.server?.image_url ?? "");
      if (stored) this.done(stored);
    } catch (error) {
      this.failure = error;
    } finally {
      this.busy = false;
    }
  };

  /** What was chosen, as a file that old clients can show too: they know no WebP. */
  async #picture() {
    const canvas = document.createElement("canvas");
    const side = Math.max(1, Math.min(SAVED_PX, Math.round(this.#crop?.square().size ?? SAVED_PX)));
    canvas.width = side;
    canvas.height = side;
    const pixels = this.#paint(canvas, false)?.getImageData(0, 0, side, side).data ?? new Uint8ClampedArray();
    let opaque = true;
    for (let at = 3; at < pixels.length && opaque; at += 4) opaque = pixels[at] === 255;
    return /** @type {Promise<Blob>} */ (
      new Promise((resolve, reject) => {
        const made = (/** @type {Blob | null} */ blob) => (blob ? resolve(blob) : reject(new Error(t("people.no_picture"))));
        canvas.toBlob(made, opaque ? "image/jpeg" : "image/png", JPEG_QUALITY);
      })
    );
  }
}

customElements.define("myim-avatar-crop", AvatarCrop);
