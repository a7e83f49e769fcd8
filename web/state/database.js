const VERSION = 2;

/** @typedef {"outbox" | "drafts" | "files"} Name */

/**
 * What one account keeps in this browser: messages that were typed and are not on the server yet, with
 * their files, and drafts. Messages of others are never kept.
 */
export class Database {
  /** @type {Promise<IDBDatabase>} */ #opened;

  /** @param {string} account */
  constructor(account) {
    this.name = `myim-${account}`;
    this.#opened = new Promise((resolve, reject) => {
      const request = indexedDB.open(this.name, VERSION);
      request.onupgradeneeded = ({ oldVersion }) => {
        if (oldVersion < 1) {
          request.result.createObjectStore("outbox", { keyPath: "client_id" });
          request.result.createObjectStore("drafts", { keyPath: "conversation" });
        }
        if (oldVersion < 2) request.result.createObjectStore("files", { keyPath: "id" });
      };
      request.onsuccess = () => {
        // A tab with a newer client, or where somebody signs out, waits for this one to let go.
        request.result.onversionchange = () => request.result.close();
        resolve(request.result);
      };
      request.onerror = () => reject(request.error);
    });
  }

  /** @param {Name} store @returns {Promise<any[]>} */
  all(store) {
    return this.#run(store, "readonly", (objects) => objects.getAll());
  }

  /** @param {Name} store @param {string} key @returns {Promise<any>} */
  get(store, key) {
    return this.#run(store, "readonly", (objects) => objects.get(key));
  }

  /** @param {Name} store @param {object} value */
  put(store, value) {
    return this.#run(store, "readwrite", (objects) => objects.put(value));
  }

  /** @param {Name} store @param {string} key */
  remove(store, key) {
    return this.#run(store, "readwrite", (objects) => objects.delete(key));
  }

  /** Forgets everything, when the account signs out. All tabs let go of it for that. */
  destroy() {
    indexedDB.deleteDatabase(this.name);
  }

  /**
   * @param {Name} store
   * @param {IDBTransactionMode} mode
   * @param {(objects: IDBObjectStore) => IDBRequest} work
   */
  async #run(store, mode, work) {
    const transaction = (await this.#opened).transaction(store, mode, { durability: "strict" });
    const request = work(transaction.objectStore(store));
    // Without that it would wait for a turn of the page, and be lost with a page that closes.
    transaction.commit();
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}
