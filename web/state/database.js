const VERSION = 1;

/**
 * What one account keeps in this browser: messages that were typed and are not on the server yet, and
 * drafts. Messages of others are never kept.
 */
export class Database {
  /** @type {Promise<IDBDatabase>} */ #opened;

  /** @param {string} account */
  constructor(account) {
    this.name = `myim-${account}`;
    this.#opened = new Promise((resolve, reject) => {
      const request = indexedDB.open(this.name, VERSION);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("outbox", { keyPath: "client_id" });
        request.result.createObjectStore("drafts", { keyPath: "conversation" });
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  /** @param {"outbox" | "drafts"} store @returns {Promise<any[]>} */
  all(store) {
    return this.#run(store, "readonly", (objects) => objects.getAll());
  }

  /** @param {"outbox" | "drafts"} store @param {object} value */
  put(store, value) {
    return this.#run(store, "readwrite", (objects) => objects.put(value));
  }

  /** @param {"outbox" | "drafts"} store @param {string} key */
  remove(store, key) {
    return this.#run(store, "readwrite", (objects) => objects.delete(key));
  }

  /** Forgets everything, when the account signs out. */
  async destroy() {
    (await this.#opened).close();
    indexedDB.deleteDatabase(this.name);
  }

  /**
   * @param {"outbox" | "drafts"} store
   * @param {IDBTransactionMode} mode
   * @param {(objects: IDBObjectStore) => IDBRequest} work
   */
  async #run(store, mode, work) {
    const transaction = (await this.#opened).transaction(store, mode, { durability: "strict" });
    const request = work(transaction.objectStore(store));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}
