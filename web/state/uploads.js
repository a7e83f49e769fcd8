/** @import { PendingMessage, PendingUpload, Segment } from "../types.js" */
/** @import { Client } from "./client.js" */
/** @import { Transfer } from "./transfer.js" */
import { freshId } from "../net/ids.js";
import { Problem } from "../net/problem.js";
import { KeptFiles } from "./kept_files.js";
import { Previews } from "./previews.js";
import { TabClaims } from "./tab_claims.js";

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
  /** What goes up; null as long as the module that carries it is being loaded. @type {Map<string, Transfer | null>} */ #running = new Map();
  /** The bytes of uploads that did not end. @type {Map<string, Blob>} */ #files = new Map();
  /** What became of those that did. @type {Map<string, Segment>} */ #done = new Map();
  /** @type {Map<string, number>} */ #shownAt = new Map();
  /** Where the server took a part of a file before. @type {Map<string, string>} */ #urls = new Map();
  /** Messages that this tab works on. The server keeps once what two tabs sent. */ #claims = new TabClaims();
  #stopped = false;
  #unsubscribe;

  /** @param {Client} client */
  constructor(client) {
    this.client = client;
    this.previews = new Previews();
    this.kept = new KeptFiles(client.database);
    client.outbox.uploads = this;
    // Where files go is known once the server told it.
    this.#unsubscribe = client.store.subscribe(({ server }) => server && this.#queue.length > 0 && this.#next());
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
    this.#claims.claim(message.client_id, async () => {});
    await this.client.outbox.add(message);
    this.#begin(message);
    await Promise.all(uploads.map(({ id }) => this.#keep(id)));
  }

  /**
   * Takes up a message that was left when a page was closed. As long as another tab works on it, this
   * one waits for that.
   * @param {PendingMessage} message
   */
  restored(message) {
    this.#claims.claim(message.client_id, async () => {
      const still = await this.client.database.get("outbox", message.client_id).catch(() => undefined);
      if (!still?.uploads) return this.#claims.release(message.client_id);
      const uploads = await Promise.all(message.uploads?.map((upload) => this.#find(upload)) ?? []);
      const again = shownAs({ ...message, uploads });
      this.client.outbox.update(again);
      this.#begin(again);
    });
  }

  /** Leaves one file out. @param {PendingMessage} message @param {string} id */
  cancel(message, id) {
    const now = this.#now(message);
    if (!now?.uploads) return;
    this.#forget(id);
    const uploads = now.uploads.filter((upload) => upload.id !== id);
    if (uploads.length === 0) return void this.client.outbox.discard(now.conversation, now.client_id);
    const left = shownAs({ ...now, uploads });
    this.client.outbox.update(left);
    void this.client.outbox.keep(left);
    void this.#finish(message);
    this.#next();
  }

  /** Tries the files again that the server refused. @param {PendingMessage} message */
  retry(message) {
    const now = this.#now(message);
    if (!now?.uploads) return;
    // What is not here any more cannot be tried; it can be left out.
    const has = (/** @type {string} */ id) => this.#files.has(id) || this.#done.has(id);
    const uploads = now.uploads.map((upload) => (has(upload.id) ? { ...upload, error: undefined } : upload));
    const again = shownAs({ ...now, uploads });
    this.client.outbox.update(again);
    this.#begin(again);
  }

  /** Stops what goes up for a message that is given up. @param {PendingMessage} message */
  discarded(message) {
    for (const { id } of message.uploads ?? []) this.#forget(id);
    this.#claims.release(message.client_id);
    this.#next();
  }

  /** Goes on at once with what waits for the network. */
  wake() {
    for (const transfer of this.#running.values()) transfer?.wake();
  }

  stop() {
    this.#stopped = true;
    this.#unsubscribe();
    this.#claims.stop();
    removeEventListener("beforeunload", ask);
    for (const transfer of this.#running.values()) transfer?.stop();
    this.previews.clear();
  }

  /** @param {PendingMessage} message */
  #begin(message) {
    for (const upload of message.uploads ?? []) {
      const known = this.#done.has(upload.id) || this.#running.has(upload.id) || !this.#files.has(upload.id);
      if (!known && !this.#queue.some((waiting) => waiting.upload.id === upload.id)) this.#queue.push({ message, upload });
    }
    this.#next();
  }

  #next() {
    while (!this.#stopped && this.client.store.state.server && this.#running.size < AT_ONCE) {
      const next = this.#queue.shift();
      if (!next) break;
      void this.#run(next.message, next.upload);
    }
    this.#guard();
  }

  /** Leaving the page is asked about while a file would be lost by it. */
  #guard() {
    const lost = [...this.#files.keys()].some((id) => !this.kept.has(id));
    if (lost && !this.#stopped) addEventListener("beforeunload", ask);
    else removeEventListener("beforeunload", ask);
  }

  /** @param {string} id */
  async #keep(id) {
    const file = this.#files.get(id);
    if (file) await this.kept.keep(id, file);
    // Its message may have been sent, or have been given up, meanwhile.
    if (!this.#files.has(id) && !this.#done.has(id)) this.kept.forget(id);
    this.#guard();
  }

  /** The file of an upload that was left. @param {PendingUpload} upload @returns {Promise<PendingUpload>} */
  async #find(upload) {
    const found = await this.kept.find(upload.id);
    if (!found) return { ...upload, sent: 0, preview: undefined, error: "file_unreadable" };
    this.#files.set(upload.id, found.file);
    if (found.url) this.#urls.set(upload.id, found.url);
    const preview = upload.picture ? this.previews.make(upload.id, found.file) : undefined;
    return { ...upload, preview, error: undefined, hindrance: undefined };
  }

  /** @param {PendingMessage} message @param {PendingUpload} upload */
  async #run(message, upload) {
    const { id } = upload;
    if (!this.#files.has(id)) return;
    this.#running.set(id, null);
    try {
      const transfer = await this.#transfer(message, upload);
      this.#running.set(id, transfer);
      const hash = await transfer.run();
      const segment = await this.#describe(hash, upload);
      if (this.#files.delete(id)) this.#done.set(id, segment);
      this.#guard();
      if (segment.type === "image") this.previews.keep(id, segment.file);
      this.#change(message, id, { sent: upload.size, hindrance: undefined });
    } catch (error) {
      if (this.#files.has(id) && !this.#stopped) this.#change(message, id, { error: Problem.of(error).code });
    } finally {
      this.#running.delete(id);
    }
    await this.#finish(message);
    this.#next();
  }

  /**
   * What carries a file. Its module is large, and many people never send one: it comes with the first.
   * @param {PendingMessage} message @param {PendingUpload} upload
   */
  async #transfer(message, { id, name, picture }) {
    const { Transfer } = await import("./transfer.js").catch(() => {
      throw new Problem("not_loaded", "The module for uploads was not loaded.");
    });
    const file = this.#files.get(id);
    if (!file || this.#stopped) throw new Problem("cancelled", "It was given up meanwhile.");
    return new Transfer(file, {
      endpoint: this.#endpoint(picture),
      token: this.client.account.token,
      name,
      url: this.#urls.get(id),
      onUrl: (url) => this.kept.tell(id, url),
      onHindrance: (hindrance) => this.#change(message, id, { hindrance }),
      onProgress: (sent) => this.#progress(message, id, sent),
    });
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
    await this.client.outbox.uploaded({ ...now, segments: [...files, ...now.segments], error: undefined });
    for (const { id } of now.uploads) this.#forget(id, false);
    this.#claims.release(now.client_id);
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
   */
  #change(message, id, change) {
    const now = this.#now(message);
    if (!now?.uploads) return;
    const uploads = now.uploads.map((upload) => (upload.id === id ? { ...upload, ...change } : upload));
    this.client.outbox.update(shownAs({ ...now, uploads }));
  }

  /** @param {string} id @param {boolean} [givenUp] */
  #forget(id, givenUp = true) {
    this.#files.delete(id);
    this.#done.delete(id);
    this.#urls.delete(id);
    this.#shownAt.delete(id);
    this.kept.forget(id);
    if (givenUp) this.#running.get(id)?.cancel();
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

/** A message has failed when one of its files has. @param {PendingMessage} message @returns {PendingMessage} */
function shownAs(message) {
  const failed = message.uploads?.find(({ error }) => error);
  return failed?.error
    ? { ...message, state: "failed", error: { code: failed.error, detail: "" } }
    : { ...message, state: "uploading", error: undefined };
}

/** @param {BeforeUnloadEvent} event */
function ask(event) {
  event.preventDefault();
}
