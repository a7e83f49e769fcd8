const SCALE_MAX = 8;
/** What a finger moves by itself while it taps. */
const TREMBLE_PIXELS = 6;

/** How large a picture is shown and where, by wheel, by fingers and by dragging. */
export class Zoom {
  scale = 1;
  x = 0;
  y = 0;
  /** Whether the last press moved something, and so was no click. */ moved = false;
  /** @type {Map<number, PointerEvent>} */ #fingers = new Map();

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  /** @param {HTMLElement} stage @param {AbortSignal} signal */
  listen(stage, signal) {
    this.stage = stage;
    const on = (/** @type {string} */ name, /** @type {(event: any) => void} */ hear) =>
      stage.addEventListener(name, hear, { signal, passive: false });
    on("wheel", (/** @type {WheelEvent} */ event) => {
      event.preventDefault();
      this.by(Math.exp(-event.deltaY / 300), event);
    });
    on("dblclick", (/** @type {MouseEvent} */ event) => (this.scale > 1 ? this.reset() : this.by(2.5, event)));
    on("pointerdown", (/** @type {PointerEvent} */ event) => this.#down(event));
    on("pointermove", (/** @type {PointerEvent} */ event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) on(name, (/** @type {PointerEvent} */ event) => this.#fingers.delete(event.pointerId));
  }

  reset() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.changed();
  }

  /** @param {number} factor @param {{clientX: number, clientY: number}} [at] what stays where it is */
  by(factor, at) {
    const scale = Math.min(SCALE_MAX, Math.max(1, this.scale * factor));
    if (scale === 1) return this.reset();
    const box = this.stage?.getBoundingClientRect();
    const grows = scale / this.scale;
    if (at && box) {
      const fromX = at.clientX - (box.left + box.width / 2);
      const fromY = at.clientY - (box.top + box.height / 2);
      this.x = fromX - (fromX - this.x) * grows;
      this.y = fromY - (fromY - this.y) * grows;
    } else {
      this.x *= grows;
      this.y *= grows;
    }
    this.scale = scale;
    this.#keepInside();
    this.changed();
  }

  /** @param {PointerEvent} event */
  #down(event) {
    this.#fingers.set(event.pointerId, event);
    this.moved = false;
    this.stage?.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) return;
    const other = [...this.#fingers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    if (other) {
      const apart = (/** @type {PointerEvent} */ one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
      this.moved = true;
      this.#fingers.set(event.pointerId, event);
      this.by(apart(event) / Math.max(1, apart(before)), middle);
      return;
    }
    const dx = event.clientX - before.clientX;
    const dy = event.clientY - before.clientY;
    if (!this.moved && Math.hypot(dx, dy) < TREMBLE_PIXELS) return;
    this.moved = true;
    this.#fingers.set(event.pointerId, event);
    if (this.scale === 1) return;
    this.x += dx;
    this.y += dy;
    this.#keepInside();
    this.changed();
  }

  /** The picture's middle stays on the screen. */
  #keepInside() {
    const box = this.stage?.getBoundingClientRect();
    if (!box) return;
    const most = (/** @type {number} */ side) => (side * (this.scale - 1)) / 2;
    this.x = Math.min(most(box.width), Math.max(-most(box.width), this.x));
    this.y = Math.min(most(box.height), Math.max(-most(box.height), this.y));
  }
}
