// The figures of the web client: what its first load costs, how quick a message is from one window
// to another, and whether the page grows in a busy conversation. No test: it prints, and judges nothing.
//
// docs/benchmarks.md says how to run it.

import { befriend, context, newcomer, origin, run, writeMany } from "./stage.mjs";

const SENDS = 200;
const BUSY_MESSAGES = 20_000;

await run(async () => {
  await firstLoad();
  const ann = await newcomer("ann");
  const bob = await newcomer("bob");
  const id = await befriend(ann, bob);
  for (const { page } of [ann, bob]) await page.goto(`${origin}/#/chats/${id}`);
  await latency(ann.page, bob.page);
  await busy(ann.page, bob.page, id);
});

/** Bytes and requests of a browser that was never here, and when one can type. */
async function firstLoad() {
  const rounds = [];
  for (let round = 0; round < 5; round += 1) {
    const browsing = await context();
    const page = await browsing.newPage();
    const session = await browsing.newCDPSession(page);
    await session.send("Network.enable");
    let bytes = 0;
    let requests = 0;
    session.on("Network.loadingFinished", ({ encodedDataLength }) => {
      bytes += encodedDataLength;
      requests += 1;
    });
    await page.goto(origin, { waitUntil: "commit" });
    await page.getByLabel("User name").waitFor();
    const usable = await page.evaluate(() => performance.now());
    await page.waitForLoadState("networkidle");
    rounds.push({ bytes, requests, usable });
    await browsing.close();
  }
  rounds.sort((a, b) => a.usable - b.usable);
  const { bytes, requests } = rounds[0];
  console.log(`first load: ${(bytes / 1024).toFixed(0)} KiB in ${requests} requests, one can type after ${rounds[2].usable.toFixed(0)} ms (median of ${rounds.length})`);
}

/**
 * From Enter in one window to the frame in which the other shows the message.
 * @param {import("playwright-core").Page} from @param {import("playwright-core").Page} to
 */
async function latency(from, to) {
  await to.evaluate(() => {
    const seen = /** @type {Record<string, number>} */ ({});
    /** @type {any} */ (window).seen = seen;
    const now = () => performance.timeOrigin + performance.now();
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const node of addedNodes) {
          for (const word of node.textContent?.match(/ping-\d+/g) ?? []) {
            // The frame after the next one has it on the screen.
            requestAnimationFrame(() => requestAnimationFrame(() => (seen[word] ??= now())));
          }
        }
      }
    }).observe(document.body, { childList: true, subtree: true });
  });
  await from.evaluate(() => {
    const sent = /** @type {number[]} */ ([]);
    /** @type {any} */ (window).sent = sent;
    addEventListener("keydown", ({ key }) => { if (key === "Enter") sent.push(performance.timeOrigin + performance.now()); }, true);
  });
  const field = from.getByRole("textbox", { name: "Message" });
  for (let number = 0; number < SENDS; number += 1) {
    await field.fill(`ping-${number}`);
    await field.press("Enter");
    await to.waitForFunction((word) => word in /** @type {any} */ (window).seen, `ping-${number}`);
  }
  const sent = /** @type {number[]} */ (await from.evaluate(() => /** @type {any} */ (window).sent));
  const seen = /** @type {Record<string, number>} */ (await to.evaluate(() => /** @type {any} */ (window).seen));
  const times = sent.map((at, number) => seen[`ping-${number}`] - at).sort((a, b) => a - b);
  console.log(`from Enter in one window to the paint in another: p50 ${times[Math.floor(SENDS * 0.5)].toFixed(0)} ms, p99 ${times[Math.floor(SENDS * 0.99)].toFixed(0)} ms (${SENDS} messages)`);
}

/**
 * What a conversation that is open costs while very much is written in it.
 * @param {import("playwright-core").Page} page @param {import("playwright-core").Page} writer @param {string} id
 */
async function busy(page, writer, id) {
  const before = await memory(page);
  const began = Date.now();
  await writeMany(writer, id, Array.from({ length: BUSY_MESSAGES }, (_, at) => `busy message ${at + 1} with a few words in it`));
  await page.getByRole("log").getByText(`busy message ${BUSY_MESSAGES} `).waitFor({ timeout: 120_000 });
  const seconds = (Date.now() - began) / 1000;
  const after = await memory(page);
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  console.log(
    `${BUSY_MESSAGES} messages in ${seconds.toFixed(0)} s into the open conversation: heap ${before.toFixed(1)} MiB before, ${after.toFixed(1)} MiB after, ${nodes} elements`,
  );
}

/** What is left of the heap after everything was collected, in MiB. @param {import("playwright-core").Page} page */
async function memory(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize / 2 ** 20;
}
