// A file of 100 MB whose upload is cut goes on where it was, and arrives as it was sent; a picture is
// shown to the other one.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import zlib from "node:zlib";
import { api, befriend, newcomer, origin, picture, run, SERVER_AWAY } from "./stage.mjs";

const BYTES = 100 * 1000 * 1000;

await run(async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "myim-upload-"));
  const ann = await newcomer("ann", { expects: SERVER_AWAY });
  const bob = await newcomer("bob");
  const id = await befriend(ann, bob);
  for (const { page } of [ann, bob]) await page.goto(`${origin}/#/chats/${id}`);
  const { page } = ann;
  const file = path.join(folder, "holiday film.bin");
  const hash = createHash("sha256");
  const out = fs.openSync(file, "w");
  for (let piece = 0; piece < 100; piece += 1) {
    const bytes = Buffer.alloc(BYTES / 100, `piece ${piece} of a long film `);
    hash.update(bytes);
    fs.writeSync(out, bytes);
  }
  fs.closeSync(out);

  /** Bytes that requests carried, to know that an upload went on and did not begin anew. */
  const offsets = /** @type {number[]} */ ([]);
  page.on("request", (request) => {
    if (request.method() === "PATCH") offsets.push(Number(request.headers()["upload-offset"]));
  });
  await choose(page, file);
  await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
  const bar = page.getByRole("progressbar", { name: /holiday film/ });
  await bar.waitFor();
  await page.waitForFunction(() => {
    const shown = document.querySelector("progress, [role=progressbar]");
    const value = Number(shown?.getAttribute("aria-valuenow") ?? /** @type {any} */ (shown)?.value ?? 0);
    return value > 0;
  });
  await ann.context.setOffline(true);
  await page.getByRole("status").getByText(/No connection/).waitFor();
  const before = offsets.length;
  await ann.context.setOffline(false);
  await bob.page.getByRole("log").getByText("holiday film.bin").waitFor({ timeout: 120_000 });
  const resumed = offsets.slice(before);
  console.log(`offsets of the pieces: ${offsets.join(" ")}`);
  assert(offsets.length === 1 || resumed.every((offset) => offset > 0), "the upload went on where it was");
  const { items } = await api(page, "GET", `/conversations/${id}/messages`);
  const sent = items.at(-1).segments.find((/** @type {any} */ one) => one.type === "file");
  assert.equal(sent.file, hash.digest("hex"));
  assert.equal(sent.size, BYTES);

  // Bob downloads it.
  const [download] = await Promise.all([
    bob.page.waitForEvent("download"),
    bob.page.getByRole("log").getByRole("button", { name: /Download holiday film/ }).or(bob.page.getByRole("log").getByRole("link", { name: /Download holiday film/ })).click(),
  ]);
  assert.equal(download.suggestedFilename(), "holiday film.bin");
  const got = createHash("sha256").update(fs.readFileSync(await download.path())).digest("hex");
  assert.equal(got, sent.file);

  // A picture, pasted as from another program.
  const drawn = path.join(folder, "square.png");
  fs.writeFileSync(drawn, png(400, 300));
  await choose(page, drawn);
  await page.getByRole("dialog").getByLabel("Caption").fill("what we saw");
  await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
  const shown = bob.page.getByRole("log").getByRole("button", { name: /Picture/ }).last();
  await bob.page.getByRole("log").getByText("what we saw").waitFor();
  await shown.waitFor();
  await bob.page.waitForFunction(() => [...document.querySelectorAll("[role=log] img")].some((one) => /** @type {HTMLImageElement} */ (one).naturalWidth > 0));
  await picture(bob.page, "upload-picture");
  await shown.click();
  await bob.page.getByRole("dialog").getByRole("img").first().waitFor();
  await bob.page.keyboard.press("Escape");
  fs.rmSync(folder, { recursive: true });
});

/** @param {import("playwright-core").Page} page @param {string} file */
async function choose(page, file) {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Attach files" }).click()]);
  await chooser.setFiles(file);
}

/** A picture of one color. @param {number} width @param {number} height */
function png(width, height) {
  const chunk = (/** @type {string} */ type, /** @type {Buffer} */ data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, Buffer.from([200, 60, 90]))]);
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", head),
    chunk("IDAT", zlib.deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The sum that PNG asks for. @param {Buffer} bytes */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}
