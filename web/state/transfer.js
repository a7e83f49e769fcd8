import { Backoff } from "../net/backoff.js";
import { Problem } from "../net/problem.js";
import { DetailedError, Upload } from "../vendor/tus.js";

/**
 * What goes up in one request. The server keeps what came of a request that broke, so a cut costs
 * nothing; a proxy that takes a request whole before it passes it on may cost this much.
 */
const CHUNK_BYTES = 16 << 20;
/** A request that moves nothing for so long is given up and made again. */
const STALLED_MS = 60_000;
/** After so many attempts in a row that brought nothing it is said why. */
const FRUITLESS_MAX = 5;
/** Statuses of an upload after which it can go on (docs/files.md). */
const GOES_ON = new Set([408, 409, 423, 429, 460]);

/**
 * One file on its way to the file server or the image server. It goes on where it was whenever the
 * network is back, until the server has all of it or says no.
 */
export class Transfer {
  #upload;
  #backoff = new Backoff();
  #cancelled = false;
  /** How many bytes were on their way at most. */ #furthest = 0;
  /** How many attempts in a row did not get further. */ #fruitless = 0;
  /** Ends the wait for the next attempt. */ #wake = () => {};
  /** Ends the attempt that runs. */ #cut = () => {};

  /**
   * @param {Blob} file
   * @param {{endpoint: string, token: string, name: string, url?: string, onProgress: (sent: number) => void, onUrl?: (url: string) => void, onHindrance?: (code: string | undefined) => void}} options
   *   `url`: where the server took a part of it before; `onHindrance` hears why it does not get on,
   *   and that it does again
   */
  constructor(file, { endpoint, token, name, url, onProgress, onUrl, onHindrance }) {
    this.file = file;
    this.onProgress = onProgress;
    this.onHindrance = onHindrance;
    this.#upload = new Upload(file, {
      endpoint,
      headers: { authorization: `Bearer ${token}` },
      metadata: { filename: name },
      chunkSize: CHUNK_BYTES,
      // We know better than a list of delays when to try again: when the network is back.
      retryDelays: null,
      storeFingerprintForResuming: false,
      onUploadUrlAvailable: () => onUrl?.(this.#upload.url ?? ""),
      onAfterResponse: (request, response) => {
        // The library would take this for "there is no such upload" and begin from the start.
        const status = response.getStatus();
        if (request.getMethod() === "HEAD" && (status >= 500 || status === 429 || status === 408)) throw new Problem("network", "");
      },
    });
    if (url) this.#upload.url = url;
  }

  /** @returns {Promise<string>} the SHA-256 of what the server has now */
  async run() {
    for (;;) {
      try {
        return await this.#attempt();
      } catch (error) {
        if (this.#cancelled) throw error;
        const problem = problemOf(error);
        await this.#look(problem);
        this.#fruitless += 1;
        if (this.#fruitless >= FRUITLESS_MAX) this.onHindrance?.(problem.code);
        await this.#wait(Math.max(this.#backoff.next(), problem.retryAfter * 1000));
        if (this.#cancelled) throw problem;
      }
    }
  }

  /** Tries at once if it waits for its next attempt. */
  wake() {
    this.#wake();
  }

  /** Gives it up, also on the server, which is told once. */
  cancel() {
    if (this.#cancelled) return;
    this.#cancelled = true;
    void this.#upload.abort(true).catch(() => {});
    this.#cut();
    this.#wake();
  }

  /** Ends without telling the server, which forgets it after a day. */
  stop() {
    this.#cancelled = true;
    void this.#upload.abort().catch(() => {});
    this.#cut();
    this.#wake();
  }

  /** @returns {Promise<string>} */
  #attempt() {
    return new Promise((resolve, reject) => {
      /** @type {number | undefined} */
      let stalled;
      const end = () => {
        clearTimeout(stalled);
        removeEventListener("offline", cut);
      };
      const cut = () => {
        end();
        void this.#upload.abort().catch(() => {});
        reject(new Problem("network", "The connection broke."));
      };
      const watch = () => {
        clearTimeout(stalled);
        stalled = setTimeout(cut, STALLED_MS);
      };
      addEventListener("offline", cut);
      this.#cut = cut;
      watch();
      Object.assign(/** @type {any} */ (this.#upload).options, {
        onProgress: (/** @type {number} */ sent) => {
          watch();
          if (sent > this.#furthest) this.#getsOn(sent);
          this.onProgress(sent);
        },
        onChunkComplete: () => this.#backoff.succeeded(),
        onError: (/** @type {Error} */ error) => {
          end();
          reject(error);
        },
        onSuccess: (/** @type {{lastResponse: import("../vendor/tus.js").Response}} */ { lastResponse }) => {
          end();
          const hash = lastResponse.getHeader("Myim-File");
          // The answer to an empty file's creation does not tell it; that to the next question does.
          if (hash) resolve(hash);
          else reject(new Problem("network", "The server does not say what it has."));
        },
      });
      this.#upload.start();
    });
  }

  /** @param {number} sent */
  #getsOn(sent) {
    this.#furthest = sent;
    if (this.#fruitless >= FRUITLESS_MAX) this.onHindrance?.(undefined);
    this.#fruitless = 0;
  }

  /** Throws what no further attempt would mend. @param {Problem} problem */
  async #look(problem) {
    const { status } = problem;
    if ((status === 404 || status === 410) && this.#upload.url) {
      // The upload is gone: it waited too long. The next attempt begins a new one.
      this.#upload.url = null;
      return;
    }
    const passes = (problem.passes && status !== 507) || GOES_ON.has(status);
    if (!passes) throw problem;
    if (status !== 0) return;
    // A file that was moved or changed since it was chosen looks like a broken network.
    await this.file
      .slice(0, 1)
      .arrayBuffer()
      .catch(() => {
        throw new Problem("file_unreadable", "The file cannot be read any more.");
      });
  }

  /** @param {number} ms */
  #wait(ms) {
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer);
          removeEventListener("online", end);
          resolve();
        };
        const timer = setTimeout(end, ms);
        addEventListener("online", end);
        this.#wake = end;
      })
    );
  }
}

/** @param {unknown} error of the library, or ours */
function problemOf(error) {
  if (!(error instanceof DetailedError) || !error.originalResponse) return Problem.of(error);
  const response = error.originalResponse;
  const status = response.getStatus();
  let said = /** @type {Record<string, any>} */ ({});
  try {
    said = JSON.parse(response.getBody());
  } catch {
    // Not every answer on the way is the server's.
  }
  const retryAfter = said.retry_after ?? (Number(response.getHeader("Retry-After")) || 0);
  return new Problem(said.code ?? "internal", said.detail ?? "", { status, retryAfter });
}
