// A conversation of ten thousand messages: opened at its end, scrolled to its beginning, and the page
// stays small.

import assert from "node:assert/strict";
import { api, befriend, newcomer, origin, run, writeMany } from "./stage.mjs";

const MESSAGES = 10_000;
/** No more of them are on the page at a time, see web/state/history.js. */
const ON_PAGE_MAX = 260;

await run(async () => {
  const ann = await newcomer("ann");
  const bob = await newcomer("bob");
  const id = await befriend(ann, bob);
  await writeMany(bob.page, id, Array.from({ length: MESSAGES }, (_, at) => textOf(at + 1)));
  const { page } = ann;
  // Otherwise it opens at the first of them.
  await api(page, "POST", `/conversations/${id}/read`, { seq: MESSAGES });
  await page.goto(`${origin}/#/chats/${id}`);
  await page.reload();
  const log = page.getByRole("log");
  await log.getByText(new RegExp(`^message ${MESSAGES} `)).waitFor();
  await page.evaluate(() => {
    const times = /** @type {number[]} */ ([]);
    /** @type {any} */ (window).frameTimes = times;
    let last = performance.now();
    const tick = (/** @type {number} */ now) => {
      times.push(now - last);
      last = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  await log.hover();
  let most = 0;
  const began = Date.now();
  while (!(await page.getByText("This is where the conversation begins.").isVisible())) {
    await page.mouse.wheel(0, -3000);
    most = Math.max(most, await log.getByRole("article").count());
    assert(Date.now() - began < 240_000, "it takes too long to get to the beginning");
  }
  await log.getByText(/^message 1 /).waitFor();
  assert(most <= ON_PAGE_MAX, `${most} messages were on the page at a time`);
  const times = await page.evaluate(() => /** @type {any} */ (window).frameTimes.slice(10));
  times.sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
  const at = (/** @type {number} */ part) => times[Math.floor(times.length * part)].toFixed(1);
  const slow = times.filter((/** @type {number} */ one) => one > 50).length;
  console.log(`frames ${times.length}, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longer than 50 ms ${slow}, ${most} messages on the page at most`);
  // What is read at the beginning does not move when something new comes at the end.
  const first = log.getByText(/^message 1 /);
  const before = await first.boundingBox();
  await api(bob.page, "POST", `/conversations/${id}/messages`, {
    client_id: "late",
    segments: [{ type: "text", text: "something new" }],
  });
  await page.getByRole("button", { name: /new message|newest/ }).first().waitFor();
  assert.deepEqual(await first.boundingBox(), before);
  await page.getByRole("button", { name: /new message|newest/ }).first().click();
  await log.getByText("something new").waitFor();
});

/** Texts of one line and of several. @param {number} number */
function textOf(number) {
  const words = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor".split(" ");
  return `message ${number} ${words.slice(0, 1 + (number % words.length)).join(" ").repeat(1 + (number % 3))}`;
}
