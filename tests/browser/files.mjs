// Pictures and files, as people bring them: pasted, dropped, given up half-way; looked at large, and
// put above one's own name.

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { api, befriend, networkOf, newcomer, origin, picture, run } from "./stage.mjs";
import { png } from "./png.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** How fast the upload goes that is given up, and how large it is: it would take minutes. */
const SLOW_BYTES_PER_S = 256 << 10;
const LARGE_BYTES = 64 << 20;

/** The browser says so of a request that the page itself gave up. */
const GIVEN_UP = [/ERR_ABORTED/];

/** @param {Page} page */
function log(page) {
  return page.getByRole("log");
}

/** @param {Page} page */
async function send(page) {
  await page.getByRole("dialog", { name: "Send files" }).getByRole("button", { name: "Send" }).click();
}

/** The pictures of the conversation that came. @param {Page} page @param {number} count */
async function areShown(page, count) {
  await page.waitForFunction((wanted) => {
    const images = /** @type {NodeListOf<HTMLImageElement>} */ (document.querySelectorAll("[role=log] .picture img"));
    return [...images].filter((one) => one.naturalWidth > 0).length === wanted;
  }, count);
}

/** Drops files where the pointer is, as the browser does. @param {Page} page @param {string} selector @param {string[]} files */
async function drop(page, selector, files) {
  const { x, y, width, height } = (await page.locator(selector).boundingBox()) ?? assert.fail(selector);
  const session = await page.context().newCDPSession(page);
  const where = { x: x + width / 2, y: y + height / 2, data: { items: [], files, dragOperationsMask: 1 } };
  await session.send("Input.dispatchDragEvent", { type: "dragEnter", ...where });
  await page.getByText("Drop files here to send them").waitFor();
  await session.send("Input.dispatchDragEvent", { type: "dragOver", ...where });
  await session.send("Input.dispatchDragEvent", { type: "drop", ...where });
  await session.detach();
}

await run(async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "myim-files-"));
  const ann = await newcomer("ann", { permissions: ["clipboard-read", "clipboard-write"], expects: GIVEN_UP });
  const bob = await newcomer("bob");
  const id = await befriend(ann, bob);
  for (const { page } of [ann, bob]) await page.goto(`${origin}/#/chats/${id}`);
  await pastes(ann.page, bob.page);
  await drops(ann.page, bob.page, folder);
  await givesUp(ann.page, bob.page, folder);
  await looksClosely(bob.page);
  await showsOneself(ann.page, bob.page, folder);
  fs.rmSync(folder, { recursive: true });
});

/** A picture from another program. @param {Page} ann @param {Page} bob */
async function pastes(ann, bob) {
  const bytes = [...png(400, 300)];
  await ann.evaluate(async (bytes) => {
    const blob = new Blob([new Uint8Array(bytes)], { type: "image/png" });
    await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
  }, bytes);
  await ann.getByRole("textbox", { name: "Message" }).focus();
  await ann.keyboard.press("Control+v");
  const dialog = ann.getByRole("dialog", { name: "Send files" });
  await dialog.locator("img.attach-preview").waitFor();
  await dialog.getByLabel("Caption").fill("what I pasted");
  await picture(ann, "files-pasted");
  await send(ann);
  await log(bob).getByText("what I pasted").waitFor();
  await areShown(bob, 1);
}

/** A picture and a file from a folder. @param {Page} ann @param {Page} bob @param {string} folder */
async function drops(ann, bob, folder) {
  const drawn = path.join(folder, "green.png");
  const notes = path.join(folder, "notes.txt");
  fs.writeFileSync(drawn, png(300, 300, [40, 160, 70]));
  fs.writeFileSync(notes, "bread, milk");
  await drop(ann, ".conversation", [drawn, notes]);
  await ann.getByRole("dialog").getByRole("list", { name: "Files" }).getByText("notes.txt").waitFor();
  await send(ann);
  await log(bob).getByText("notes.txt").waitFor();
  await areShown(bob, 2);
  const [download] = await Promise.all([
    bob.waitForEvent("download"),
    log(bob).getByRole("button", { name: "Download notes.txt" }).or(log(bob).getByRole("link", { name: "Download notes.txt" })).click(),
  ]);
  assert.equal(fs.readFileSync(await download.path(), "utf8"), "bread, milk");
}

/** An upload is given up while it goes. @param {Page} ann @param {Page} bob @param {string} folder */
async function givesUp(ann, bob, folder) {
  const large = path.join(folder, "too large after all.bin");
  fs.writeFileSync(large, Buffer.alloc(LARGE_BYTES, 1));
  const network = await networkOf(ann);
  await network({ uploadThroughput: SLOW_BYTES_PER_S });
  await drop(ann, ".conversation", [large]);
  await send(ann);
  await ann.waitForFunction(() => (document.querySelector("progress")?.value ?? 0) > 0);
  const [gone] = await Promise.all([
    ann.waitForRequest((request) => request.method() === "DELETE"),
    ann.getByRole("button", { name: "Cancel the upload of too large after all.bin" }).click(),
  ]);
  await log(ann).getByText("too large after all.bin").waitFor({ state: "detached" });
  await network({});
  assert((await gone.response())?.ok(), "the server forgot it, too");
  await ann.getByRole("textbox", { name: "Message" }).fill("not that one");
  await ann.keyboard.press("Enter");
  await log(bob).getByText("not that one").waitFor();
  await ann.reload();
  await log(ann).getByText("not that one").waitFor();
  for (const page of [ann, bob]) assert.equal(await log(page).getByText("too large after all.bin").count(), 0);
}

/** @param {Page} page */
async function looksClosely(page) {
  await log(page).getByRole("button", { name: /^Picture/ }).first().click();
  const box = page.getByRole("dialog", { name: "Pictures" });
  const isAt = (/** @type {string} */ text) => box.getByRole("status").getByText(text).waitFor({ state: "attached" });
  await isAt("Picture 1 of 2");
  await page.waitForFunction(() => (document.querySelector("dialog img")?.naturalWidth ?? 0) === 400);
  await picture(page, "files-lightbox");
  const scale = () => box.getByRole("img").evaluate((one) => Number(getComputedStyle(one).getPropertyValue("--scale")));
  assert.equal(await scale(), 1);
  await box.getByRole("button", { name: "Zoom in" }).click();
  assert((await scale()) > 1);
  await page.keyboard.press("0");
  assert.equal(await scale(), 1);
  await box.getByRole("button", { name: "Next picture" }).click();
  await isAt("Picture 2 of 2");
  await page.waitForFunction(() => (document.querySelector("dialog img")?.naturalWidth ?? 0) === 300);
  await page.keyboard.press("ArrowLeft");
  await isAt("Picture 1 of 2");
  await page.keyboard.press("Escape");
  await box.waitFor({ state: "detached" });
}

/** Ann chooses a picture of herself, and a square of it. @param {Page} ann @param {Page} bob @param {string} folder */
async function showsOneself(ann, bob, folder) {
  const portrait = path.join(folder, "portrait.png");
  fs.writeFileSync(portrait, png(640, 480, [30, 90, 200]));
  await ann.goto(`${origin}/#/settings/profile`);
  const [chooser] = await Promise.all([ann.waitForEvent("filechooser"), ann.getByRole("button", { name: "Change picture" }).click()]);
  await chooser.setFiles(portrait);
  const dialog = ann.getByRole("dialog", { name: "Crop picture" });
  await dialog.getByRole("img", { name: "The chosen part of the picture" }).press("ArrowLeft");
  await dialog.getByLabel("Zoom").fill("2");
  await picture(ann, "files-crop");
  await dialog.getByRole("button", { name: "Use this picture" }).click();
  await dialog.waitFor({ state: "detached" });
  await ann.locator(".profile-head img").waitFor();
  const { avatar } = await api(ann, "GET", "/me");
  assert.match(avatar, /^[0-9a-f]{32}$/);
  // Half of the shorter side, because it was zoomed in twice.
  const { url } = await api(ann, "GET", `/files/${avatar}?class=image`);
  const size = await ann.evaluate(async (url) => {
    const bitmap = await createImageBitmap(await (await fetch(url)).blob());
    return [bitmap.width, bitmap.height];
  }, url);
  assert.deepEqual(size, [240, 240]);
  // Bob sees it beside the conversation.
  await bob.waitForFunction(() => (document.querySelector("myim-conversation-list .row img")?.naturalWidth ?? 0) > 0);
  // One of those that the existing clients bring along is a drawing here.
  await api(ann, "PATCH", "/me", { avatar: "builtin:7" });
  await bob.locator("myim-conversation-list .row .avatar-drawing").waitFor();
  await picture(bob, "files-builtin");
}
