// A file of 100 MB whose upload is cut goes on where it was, and arrives as it was sent; a picture is
// shown to the other one.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { png } from "./png.mjs";
import { api, befriend, networkOf, newcomer, origin, picture, run, SERVER_AWAY } from "./stage.mjs";

const BYTES = 100 * 1000 * 1000;
/** How fast the upload goes until it is cut, so that the cut comes in its middle. */
const SLOW_BYTES_PER_S = 8 << 20;
/** What has to be on its way before the network is cut. */
const CUT_BYTES = 4 << 20;

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

  /** Where requests that carried the file began, to know that it went on and did not begin anew. */
  const offsets = /** @type {number[]} */ ([]);
  page.on("request", (request) => {
    if (request.method() === "PATCH") offsets.push(Number(request.headers()["upload-offset"]));
  });
  const network = await networkOf(page);
  await network({ uploadThroughput: SLOW_BYTES_PER_S });
  await choose(page, file);
  await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
  const bar = page.getByRole("progressbar", { name: /holiday film/ });
  await bar.waitFor();
  await page.waitForFunction((bytes) => (document.querySelector("progress")?.value ?? 0) >= bytes, CUT_BYTES);
  await network({ offline: true });
  await page.getByRole("status").getByText(/No connection/).waitFor();
  const before = offsets.length;
  assert(before > 0, "the upload had begun");
  assert((await bar.evaluate((one) => /** @type {HTMLProgressElement} */ (one).value)) < BYTES, "it was cut in its middle");
  await network({});
  await bob.page.getByRole("log").getByText("holiday film.bin").waitFor({ timeout: 120_000 });
  const resumed = offsets.slice(before);
  console.log(`offsets of the pieces: ${offsets.join(" ")}`);
  assert(resumed.length > 0, "the upload went on after the cut");
  assert(resumed.every((offset) => offset > 0), "it went on where it was");
  assert(resumed.every((offset, at) => at === 0 || offset > (resumed[at - 1] ?? 0)), "nothing was sent twice");
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
