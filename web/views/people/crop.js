/** Which square of a picture was chosen. It never leaves the picture. */
export class Crop {
  static ZOOM_MAX = 5;

  zoom = 1;

  /** @param {number} width @param {number} height of the picture, in its pixels */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    /** The middle of the square. */
    this.x = width / 2;
    this.y = height / 2;
  }

  /** The square in pixels of the picture. */
  square() {
    const size = Math.min(this.width, this.height) / this.zoom;
    return { x: this.x - size / 2, y: this.y - size / 2, size };
  }

  /** Moves the picture under the square, by parts of its side. @param {number} x @param {number} y */
  move(x, y) {
    const { size } = this.square();
    this.x -= x * size;
    this.y -= y * size;
    this.#keepInside();
  }

  /**
   * @param {number} zoom
   * @param {{x: number, y: number}} [at] what stays where it is, from 0 to 1
   */
  zoomTo(zoom, at = { x: 0.5, y: 0.5 }) {
    const before = this.square();
    this.zoom = Math.min(Crop.ZOOM_MAX, Math.max(1, zoom));
    const { size } = this.square();
    this.x += (at.x - 0.5) * (before.size - size);
    this.y += (at.y - 0.5) * (before.size - size);
    this.#keepInside();
  }

  #keepInside() {
    const half = this.square().size / 2;
    this.x = Math.min(this.width - half, Math.max(half, this.x));
    this.y = Math.min(this.height - half, Math.max(half, this.y));
  }
}
