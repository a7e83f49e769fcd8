// A file server that speaks tus, as far as an upload needs it, and a network that can be cut.

import { createHash } from "node:crypto";
import { settle } from "./browser.js";

export class FileServer {
  /** Uploads by their path: what came of each. */
  uploads = new Map();
  /** What was asked, as `PATCH 5`. */
  asked = [];
  isCut = false;
  /** Answers that take the place of the next ones. */
  fate = [];
  /** How many bytes of the next piece arrive before the network is cut. */
  cutAfter = null;
  #next = 1;

  /** Makes the requests of this process go here. */
  listen() {
    const server = this;
    globalThis.XMLHttpRequest = class {
      upload = {};
      #headers = {};
      #answer = {};
      #isAborted = false;
      open(method, url) {
        Object.assign(this, { method, url: new URL(url, "http://files.example") });
      }
      setRequestHeader(name, value) {
        this.#headers[name.toLowerCase()] = value;
      }
      abort() {
        this.#isAborted = true;
      }
      getResponseHeader(name) {
        return this.#answer.headers?.[name.toLowerCase()] ?? null;
      }
      async send(body) {
        const bytes = body ? Buffer.from(await body.arrayBuffer()) : Buffer.alloc(0);
        await settle(2);
        if (this.#isAborted) return;
        const answer = server.take(this.method, this.url.pathname, this.#headers, bytes);
        if (!answer) return this.onerror?.(new Error("the network is cut"));
        this.upload.onprogress?.({ lengthComputable: true, loaded: bytes.length, total: bytes.length });
        this.#answer = answer;
        this.status = answer.status;
        this.responseText = answer.body ?? "";
        this.onload?.();
      }
    };
  }

  take(method, path, headers, bytes) {
    const offset = headers["upload-offset"];
    this.asked.push(offset === undefined ? method : `${method} ${offset}`);
    if (this.isCut) return null;
    const fate = this.fate.shift();
    if (fate) return { headers: {}, ...fate };
    if (method === "POST") return this.#create(headers);
    const upload = this.uploads.get(path);
    if (!upload) return { status: 404, headers: {}, body: '{"code":"no_such_upload"}' };
    if (method === "PATCH") {
      const taken = this.cutAfter === null ? bytes : bytes.subarray(0, this.cutAfter);
      upload.bytes = Buffer.concat([upload.bytes, taken]);
      if (this.cutAfter !== null) {
        this.isCut = true;
        return null;
      }
    }
    return { status: method === "HEAD" ? 200 : 204, headers: this.#facts(upload) };
  }

  #create(headers) {
    const path = `/files/uploads/${this.#next++}`;
    const upload = { bytes: Buffer.alloc(0), length: Number(headers["upload-length"]), headers };
    this.uploads.set(path, upload);
    return { status: 201, headers: { location: path } };
  }

  #facts({ bytes, length }) {
    const facts = { "upload-offset": String(bytes.length), "upload-length": String(length) };
    const isWhole = bytes.length === length;
    return isWhole ? { ...facts, "myim-file": createHash("sha256").update(bytes).digest("hex") } : facts;
  }
}
