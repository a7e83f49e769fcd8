/** @import { Api } from "../net/api.js" */
import { Http } from "../net/http.js";

/** An address is asked for again when it is worth less than this. */
const MARGIN_MS = 5 * 60_000;
/** So many addresses are known at a time; a screen shows some dozens. */
const KNOWN_MAX = 500;

/**
 * @typedef {object} FileAddress
 * @property {string} url
 * @property {string} expires_at
 * @property {number} size
 * @property {string} mime
 * @property {{thumb?: string, preview?: string}} [renditions]
 */

/** Addresses under which stored files are fetched. Each is asked for once while it is good. */
export class Files {
  /** @type {Map<string, {address: Promise<FileAddress>, until: number}>} */ #known = new Map();

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
  }

  /**
   * @param {string} file the SHA-256, or the name of a picture that a profile shows
   * @param {"file" | "image"} [kind]
   * @returns {Promise<FileAddress>}
   */
  address(file, kind) {
    const key = `${kind ?? ""}/${file}`;
    const known = this.#known.get(key);
    if (known && known.until > Date.now()) return known.address;
    const address = this.api.file(file, kind);
    const entry = { address, until: Date.now() + MARGIN_MS };
    // The oldest stand first.
    this.#known.delete(key);
    this.#known.set(key, entry);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_MAX && oldest) this.#known.delete(oldest);
    address.then(
      (found) => { entry.until = Date.parse(found.expires_at) - MARGIN_MS; },
      // Whoever asks again may have more luck.
      () => this.#known.delete(key),
    );
    return address;
  }

  /**
   * The address of a picture in one of the sizes that the image server knows.
   * @param {string} file
   * @param {"thumb" | "preview" | "avatar64" | "avatar128" | "avatar256"} rendition
   */
  async rendition(file, rendition) {
    const url = new URL((await this.address(file, "image")).url, location.href);
    url.pathname += `/${rendition}`;
    return url.href;
  }

  /**
   * Puts a small picture on the image server.
   * @param {Blob} picture
   * @param {string} server where it is
   * @returns {Promise<string>} its SHA-256
   */
  async storePicture(picture, server) {
    const name = picture.type === "image/png" ? "avatar.png" : "avatar.jpg";
    const images = new Http(this.api.http.token, () => {}, server);
    const { file } = await images.request("POST", "/images", { query: { name }, blob: picture });
    return file;
  }
}
