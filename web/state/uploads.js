/** @import { PendingMessage, PendingUpload, Segment } from "../types.js" */
/** @import { Client } from "./client.js" */
import { freshId } from "../net/ids.js";
import { Problem } from "../net/problem.js";
import { Previews } from "./previews.js";
import { Transfer } from "./transfer.js";

/** How many files go up at a time. */
const AT_ONCE = 2;
/** Progress is shown at most so often. */
const SHOW_MS = 200;

/** What the image server takes (docs/pictures.md). */
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"]);

/**
 * @typedef {object} Picked
 * @property {Blob} file
 * @property {string} name
 * @property {boolean} picture goes to the image server, and is shown as a picture
 */

/** Whether a file can be sent as a picture. @param {Blob} file @param {Record<string, number>} limits */
export function isPicture(file, limits) {
  return PICTURES.has(file.type) && file.size > 0 && file.size <= (limits.picture_bytes_max ?? Infinity);
}

/**
 * Messages whose files are still to go up. Such a message stands among the pending ones as
 * `uploading`; when everything is on the server it becomes one like others. Later messages do not
 * wait for it.
 */
export class Uploads {
  /** Files that wait for their turn. @type {{message: PendingMessage, upload: PendingUpload}[]} */ #queue = [];
  /** @type {Map<string, Transfer>} */ #running = new Map();
  /** The bytes of uploads that did not end. @type {Map<string, Blob>} */ #files = new Map();
  /** What became of those that did. @type {Map<string, Segment>} */ #done = new Map();
  /** @type {Map<string, number>} */ #shownAt = new Map();
  #stopped = false;

  /** @param {Client} client */
  constructor(client) {
    this.client = client;
    this.previews = new Previews();
    client.outbox.uploads = this;
  }

  /**
   * Sends files with what is said of them.
   * @param {string} conversation
   * @param {Picked[]} picked
   * @param {Segment[]} caption
   * @param {number} [reply_to]
   */
  async send(conversation, picked, caption, reply_to) {
    const uploads = picked.map(({ file, name, picture }) => {
      const id = freshId();
      this.#files.set(id, file);
      const preview = picture ? this.previews.make(id, file) : undefined;
      return { id, name, size: file.size, mime: file.type, picture, sent: 0, preview };
    });
    /** @type {PendingMessage} */
    const message = {
      client_id: freshId(),
      conversation,
      segments: caption,
      created: Date.now(),
      state: "uploading",
      uploads,
      ...(reply_to === undefined ? {} : { reply_to }),
    };
    await this.client.outbox.add(message);
    this.#begin(message);
  }

  /** Leaves one file out. @param {PendingMessage} message @param {string} id */
  cancel(message, id) {
    const now = this.#now(message);
    if (!now?.uploads) return;
    this.#forget(id);
    const uploads = now.uploads.filter((upload) => upload.id !== id);
    if (uploads.length === 0) return void this.client.outbox.discard(now.conversation, now.client_id);
    const failed = uploads.some(({ error }) => error);
    this.client.outbox.update({
      ...now,
      uploads,
      state: failed ? "failed" : "uploading",
      error: failed ? now.error : undefined,
    });
    void this.#finish(message);
    this.#next();
  }

  /** Tries the files again that the server refused. @param {PendingMessage} message */
  retry(message) {
    const now = this.#now(message);
    if (!now?.uploads) return;
    const uploads = now.uploads.map((upload) => ({ ...upload, error: undefined }));
    const again = { ...now, uploads, state: /** @type {const} */ ("uploading"), error: undefined };
    this.client.outbox.update(again);
    this.#begin(again);
  }

  /** Stops what goes up for a message that is given up. @param {PendingMessage} message */
  discarded(message) {
    for (const { id } of message.uploads ?? []) this.#forget(id);
    this.#next();
  }

  /** Goes on at once with what waits for the network. */
  wake() {
    for (const transfer of this.#running.values()) transfer.wake();
  }

  stop() {
    this.#stopped = true;
    removeEventListener("beforeunload", ask);
    for (const transfer of this.#running.values()) transfer.stop();
    this.previews.clear();
  }

  /** @param {PendingMessage} message */
  #begin(message) {
    for (const upload of message.uploads ?? []) {
      const known = this.#done.has(upload.id) || this.#running.has(upload.id);
      if (!known && !this.#queue.some((waiting) => waiting.upload.id === upload.id)) this.#queue.push({ message, upload });
    }
    this.#next();
  }

  #next() {
    while (!this.#stopped && this.#running.size < AT_ONCE) {
      const next = this.#queue.shift();
      if (!next) break;
      void this.#run(next.message, next.upload);
    }
    // Files are not kept when the page goes, so leaving is asked about.
    if (this.#running.size > 0) addEventListener("beforeunload", ask);
    else removeEventListener("beforeunload", ask);
  }

  /** @param {PendingMessage} message @param {PendingUpload} upload */
  async #run(message, upload) {
    const { id, name, picture } = upload;
    const file = this.#files.get(id);
    if (!file) return;
    const transfer = new Transfer(file, {
      endpoint: this.#endpoint(picture),
      token: this.client.account.token,
      name,
      onProgress: (sent) => this.#progress(message, id, sent),
    });
    this.#running.set(id, transfer);
    try {
      const hash = await transfer.run();
      const segment = await this.#describe(hash, upload);
      if (this.#files.delete(id)) this.#done.set(id, segment);
      if (segment.type === "image") this.previews.keep(id, segment.file);
      this.#change(message, id, { sent: upload.size });
    } catch (error) {
      const { code, detail } = Problem.of(error);
      if (this.#files.has(id) && !this.#stopped) this.#change(message, id, { error: code }, { code, detail });
    } finally {
      this.#running.delete(id);
    }
    await this.#finish(message);
    this.#next();
  }

  /**
   * What stands in the message for a file. What is said here is what the server found in the bytes.
   * @param {string} hash
   * @param {PendingUpload} upload
   * @returns {Promise<Segment>}
   */
  async #describe(hash, { name, size, mime, picture }) {
    /** @type {any} */
    const facts = await this.client.files.address(hash, picture ? "image" : "file").catch(() => ({}));
    if (!picture) return { type: "file", file: hash, name, size, mime: facts.mime || mime || "application/octet-stream" };
    const { width = 0, height = 0, thumbhash } = facts;
    return { type: "image", file: hash, name, size: facts.size ?? size, width, height, ...(thumbhash ? { thumbhash } : {}) };
  }

  /** Sends the message if all its files are there. @param {PendingMessage} message */
  async #finish(message) {
    const now = this.#now(message);
    if (!now?.uploads?.every(({ id }) => this.#done.has(id))) return;
    const files = now.uploads.map(({ id }) => /** @type {Segment} */ (this.#done.get(id)));
    for (const { id } of now.uploads) this.#done.delete(id);
    await this.client.outbox.uploaded({ ...now, segments: [...files, ...now.segments], error: undefined });
  }

  /** @param {PendingMessage} message @param {string} id @param {number} sent */
  #progress(message, id, sent) {
    if (Date.now() - (this.#shownAt.get(id) ?? 0) < SHOW_MS) return;
    this.#shownAt.set(id, Date.now());
    this.#change(message, id, { sent });
  }

  /**
   * @param {PendingMessage} message
   * @param {string} id
   * @param {Partial<PendingUpload>} change
   * @param {{code: string, detail: string}} [error] why it did not go up
   */
  #change(message, id, change, error) {
    const now = this.#now(message);
    if (!now?.uploads) return;
    const uploads = now.uploads.map((upload) => (upload.id === id ? { ...upload, ...change } : upload));
    this.client.outbox.update({ ...now, uploads, ...(error ? { state: /** @type {const} */ ("failed"), error } : {}) });
  }

  /** @param {string} id */
  #forget(id) {
    this.#files.delete(id);
    this.#done.delete(id);
    this.#shownAt.delete(id);
    this.#running.get(id)?.cancel();
    this.#queue = this.#queue.filter(({ upload }) => upload.id !== id);
    this.previews.drop(id);
  }

  /** The message as it is shown by now. @param {PendingMessage} message */
  #now({ conversation, client_id }) {
    return this.client.store.state.pending.get(conversation)?.find((one) => one.client_id === client_id);
  }

  /** @param {boolean} picture */
  #endpoint(picture) {
    const { server } = this.client.store.state;
    const base = (picture ? server?.image_url : server?.file_url) ?? "";
    return `${base.replace(/\/$/, "")}/${picture ? "images" : "files"}/`;
  }
}

/** @param {BeforeUnloadEvent} event */
function ask(event) {
  event.preventDefault();
}
