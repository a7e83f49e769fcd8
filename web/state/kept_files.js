/** @import { Database } from "./database.js" */

/** Browsers copy what they keep. What is larger than this is kept only as long as the page is open. */
const BYTES_MAX = 256 << 20;

/**
 * @typedef {object} KeptFile
 * @property {string} id of the upload
 * @property {Blob} file
 * @property {string} [url] where the server takes it, once it is known
 */

/** Files of messages that are not sent yet, so that they go on after the page was closed. */
export class KeptFiles {
  /** Those that this browser holds. @type {Map<string, KeptFile>} */ #held = new Map();

  /** @param {Database} database */
  constructor(database) {
    this.database = database;
  }

  /** @param {string} id @param {Blob} file */
  async keep(id, file) {
    if (file.size <= BYTES_MAX) await this.#write({ id, file });
  }

  /** @param {string} id @param {string} url */
  async tell(id, url) {
    const held = this.#held.get(id);
    if (held) await this.#write({ ...held, url });
  }

  /** @param {string} id @returns {Promise<KeptFile | undefined>} */
  async find(id) {
    const found = await this.database.get("files", id).catch(() => undefined);
    if (found) this.#held.set(id, found);
    return found;
  }

  /** @param {string} id */
  forget(id) {
    this.#held.delete(id);
    void this.database.remove("files", id).catch(() => {});
  }

  /** Whether the file would be there after the page was closed. @param {string} id */
  has(id) {
    return this.#held.has(id);
  }

  /** A browser without room must not keep a file from being sent. @param {KeptFile} row */
  async #write(row) {
    await this.database.put("files", row).then(
      () => this.#held.set(row.id, row),
      () => this.#held.delete(row.id),
    );
  }
}
