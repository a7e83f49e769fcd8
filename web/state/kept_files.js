/** @import { Database } from "./database.js" */

/** Browsers copy what they keep. What is larger than this is kept only as long as the page is open. */
const BYTES_MAX = 256 << 20;

/**
 * Files of messages that are not sent yet, so that they go on after the page was closed. Where the
 * server takes each is a row of its own: it is known before a large file is copied, and must not make
 * the browser copy it again.
 */
export class KeptFiles {
  /** Those that this browser holds. @type {Set<string>} */ #held = new Set();

  /** @param {Database} database */
  constructor(database) {
    this.database = database;
  }

  /** @param {string} id of the upload @param {Blob} file */
  async keep(id, file) {
    if (file.size > BYTES_MAX) return;
    // A browser without room must not keep a file from being sent.
    await this.database.put("files", { id, file }).then(
      () => this.#held.add(id),
      () => this.#held.delete(id),
    );
  }

  /** @param {string} id @param {string} url */
  tell(id, url) {
    void this.database.put("files", { id: placeOf(id), url }).catch(() => {});
  }

  /** @param {string} id @returns {Promise<{file: Blob, url?: string} | undefined>} */
  async find(id) {
    const rows = [this.database.get("files", id), this.database.get("files", placeOf(id))];
    const [found, place] = await Promise.all(rows.map((row) => row.catch(() => undefined)));
    if (!found) return undefined;
    this.#held.add(id);
    return { file: found.file, url: place?.url };
  }

  /** @param {string} id */
  forget(id) {
    this.#held.delete(id);
    for (const row of [id, placeOf(id)]) void this.database.remove("files", row).catch(() => {});
  }

  /** Whether the file would be there after the page was closed. @param {string} id */
  has(id) {
    return this.#held.has(id);
  }
}

/** @param {string} id */
function placeOf(id) {
  return `${id}.url`;
}
