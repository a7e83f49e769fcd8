// What a browser does with the parts of a file: it plays a long recording from its middle without
// the part in between, and a page that asks for parts gets exactly these bytes.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { api, newcomer, origin, run } from "./stage.mjs";

/** Two minutes of it are 23 MB: far more than a browser fetches ahead. */
const RATE = 48_000;
const SECONDS = 120;
const FRAME_BYTES = 4;
/** Where somebody clicks who knows the recording. */
const CLICKED_S = 110;
/** A seek lands where frames begin, and fetches a little of what stands before. */
const NEAR_BYTES = 1 << 20;

/** A recording of noise, so that no two places of it are alike. */
function recording() {
  const bytes = Buffer.alloc(44 + RATE * SECONDS * FRAME_BYTES);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(RATE * FRAME_BYTES, 28);
  bytes.writeUInt16LE(FRAME_BYTES, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(bytes.length - 44, 40);
  let noise = 7;
  for (let at = 44; at < bytes.length; at += 4) {
    noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) >>> 0;
    bytes.writeUInt32LE(noise, at);
  }
  return bytes;
}

/** @param {Buffer} bytes */
function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

await run(async () => {
  const { page } = await newcomer("ann");
  const { file_url } = await api(page, "GET", "/server");
  const bytes = recording();
  const { token } = await api(page, "POST", "/sessions", { username: "ann", password: "secret of ann", device: { kind: "cli" } });
  const stored = await fetch(`${file_url}/files?name=long.wav`, { method: "POST", headers: { authorization: `Bearer ${token}` }, body: bytes });
  assert.equal(stored.status, 201);
  const { file } = await stored.json();
  assert.equal(file, sha256(bytes));
  const { url } = await api(page, "GET", `/files/${file}`);

  // A page asks for parts.
  const length = bytes.length;
  for (const [from, to] of [[0, 0], [44, 1_000_000], [length - 5, length - 1], [12_345_678, length - 1]]) {
    const part = await page.evaluate(
      async ({ url, range }) => {
        const answer = await fetch(url, { headers: { range } });
        const digest = await crypto.subtle.digest("SHA-256", await answer.arrayBuffer());
        const hash = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
        return { status: answer.status, hash };
      },
      { url, range: `bytes=${from}-${to}` },
    );
    assert.deepEqual(part, { status: 206, hash: sha256(bytes.subarray(from, to + 1)) }, `bytes ${from} to ${to}`);
  }

  // The browser's own player does.
  const parts = /** @type {{status: number, from: number}[]} */ ([]);
  page.on("response", (response) => {
    if (response.url() !== url || response.request().resourceType() !== "media") return;
    const [, from] = /^bytes (\d+)-/.exec(response.headers()["content-range"] ?? "") ?? [];
    parts.push({ status: response.status(), from: Number(from ?? 0) });
  });
  const played = await page.evaluate(
    async ({ url, clicked }) => {
      const player = new Audio();
      const seen = (/** @type {string} */ what) => new Promise((found, lost) => {
        player.addEventListener(what, found, { once: true });
        player.addEventListener("error", () => lost(new Error(`${what}: ${player.error?.message}`)), { once: true });
      });
      player.preload = "metadata";
      const known = seen("loadedmetadata");
      player.src = url;
      await known;
      const there = seen("seeked");
      player.currentTime = clicked;
      await there;
      return { duration: player.duration, at: player.currentTime, ready: player.readyState };
    },
    { url, clicked: CLICKED_S },
  );
  console.log(`the player asked for parts from ${parts.map(({ from }) => from).join(", ")}`);
  assert.equal(Math.round(played.duration), SECONDS);
  assert.equal(played.at, CLICKED_S);
  assert(played.ready >= 2, "there is sound at this place");
  assert(parts.every(({ status }) => status === 206), JSON.stringify(parts));
  const place = CLICKED_S * RATE * FRAME_BYTES;
  assert(parts.some(({ from }) => Math.abs(place - from) < NEAR_BYTES), "it went there without what is in between");
  assert(origin !== file_url, "the file is on another port than the page");
});
