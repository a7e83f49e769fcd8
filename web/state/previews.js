/** So many pictures that were sent from here are shown from here. */
const KEPT_MAX = 50;

/** Pictures of one's own, shown from the bytes that are here instead of fetching them again. */
export class Previews {
  /** Addresses by upload. @type {Map<string, string>} */ #made = new Map();
  /** Addresses by SHA-256, the oldest first. @type {Map<string, string>} */ #kept = new Map();

  /** @param {string} id of the upload @param {Blob} file @returns {string} */
  make(id, file) {
    const url = URL.createObjectURL(file);
    this.#made.set(id, url);
    return url;
  }

  /** The picture is on the server now, under this name. @param {string} id @param {string} hash */
  keep(id, hash) {
    const url = this.#made.get(id);
    if (!url) return;
    this.#made.delete(id);
    const before = this.#kept.get(hash);
    if (before) URL.revokeObjectURL(before);
    this.#kept.set(hash, url);
    const [oldest] = this.#kept;
    if (this.#kept.size > KEPT_MAX && oldest) {
      URL.revokeObjectURL(oldest[1]);
      this.#kept.delete(oldest[0]);
    }
  }

  /** @param {string} hash @returns {string | undefined} */
  of(hash) {
    return this.#kept.get(hash);
  }

  /** @param {string} id of an upload that is given up */
  drop(id) {
    const url = this.#made.get(id);
    if (url) URL.revokeObjectURL(url);
    this.#made.delete(id);
  }

  clear() {
    for (const url of [...this.#made.values(), ...this.#kept.values()]) URL.revokeObjectURL(url);
    this.#made.clear();
    this.#kept.clear();
  }
}
