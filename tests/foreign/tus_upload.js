// Uploads one file to a running server with `tus-js-client`, as anybody's program would.
//
// Usage: tus_upload.js MODULES JSON. The JSON says `endpoint`, `token`, `path`, and perhaps
// `chunk`, `parallel`, `during_creation`, `deferred` (the length is told late), `store` (a file that
// remembers where uploads stand, so that the next process goes on), `terminate` (gives the upload
// up after its first chunk).
//
// Prints `again` for each new attempt, `resumed` if the upload had been begun before, and at the
// end `file HASH`, or `terminated`.

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { PassThrough } = require("node:stream");

const [modules, text] = process.argv.slice(2);
const tus = require(path.resolve(modules, "tus-js-client"));
const wanted = JSON.parse(text);

// So often is tried again without progress: a server needs its time to start.
const ATTEMPTS = 300;
const PAUSE_MS = 50;

function say(line) {
  fs.writeSync(1, `${line}\n`);
}

function options(resolve, reject) {
  return {
    endpoint: wanted.endpoint,
    headers: { Authorization: `Bearer ${wanted.token}` },
    metadata: { filename: path.basename(wanted.path), note: "ünïcödé 你好" },
    chunkSize: wanted.chunk ?? Number.POSITIVE_INFINITY,
    parallelUploads: wanted.parallel ?? 1,
    uploadDataDuringCreation: wanted.during_creation ?? false,
    uploadLengthDeferred: wanted.deferred ?? false,
    urlStorage: wanted.store ? new tus.FileUrlStorage(wanted.store) : undefined,
    storeFingerprintForResuming: Boolean(wanted.store),
    retryDelays: Array(ATTEMPTS).fill(PAUSE_MS),
    onShouldRetry(error) {
      const status = error.originalResponse?.getStatus() ?? 0;
      say(`again ${status} ${status ? "" : error.message.split("\n")[0]}`);
      return status < 400 || status >= 500 || status === 409 || status === 423;
    },
    onError: reject,
    onSuccess: resolve,
  };
}

async function upload() {
  const file = fs.createReadStream(wanted.path);
  // Of a file the library finds the length out, of a stream it cannot.
  const content = wanted.deferred ? file.pipe(new PassThrough()) : file;
  let upload;
  const { lastResponse } = await new Promise((resolve, reject) => {
    // The library does not repeat the request that joins parallel parts: whoever uses it starts again,
    // and it goes on with the parts that are there.
    let joinings = ATTEMPTS;
    const all = options(resolve, (error) => {
      if (!wanted.parallel || error.originalRequest || joinings-- === 0) return reject(error);
      say(`again 0 ${error.message}`);
      setTimeout(() => upload.start(), PAUSE_MS);
    });
    upload = new tus.Upload(content, all);
    if (!wanted.store) return upload.start();
    upload.findPreviousUploads().then((before) => {
      if (before.length > 0) {
        say("resumed");
        upload.resumeFromPreviousUpload(before[0]);
      }
      upload.start();
    }, reject);
  });
  assert(upload.url.startsWith(new URL(wanted.endpoint).origin), upload.url);
  say(`file ${lastResponse.getHeader("Myim-File")}`);
}

// Gives up after the first chunk, and then the upload is not there any more.
async function terminate() {
  const content = fs.createReadStream(wanted.path);
  const upload = await new Promise((resolve, reject) => {
    const all = options(() => reject(new Error("it was done before it was ended")), reject);
    all.onChunkComplete = () => resolve(upload);
    const upload = new tus.Upload(content, all);
    upload.start();
  });
  await upload.abort(true);
  const headers = { "Tus-Resumable": "1.0.0", Authorization: `Bearer ${wanted.token}` };
  const told = await fetch(upload.url, { method: "HEAD", headers });
  assert.strictEqual(told.status, 404);
  say("terminated");
}

(wanted.terminate ? terminate() : upload()).catch((error) => {
  console.error(error);
  process.exit(1);
});
