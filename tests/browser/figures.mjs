// The figures of the web client: what its loads cost, how quick a message is from one window to
// another, and whether the page grows in a busy conversation. No test: it prints, and judges nothing.
//
// docs/benchmarks.md says how to run it.

import { befriend, context, newcomer, origin, run, writeMany } from "./stage.mjs";

const ROUNDS = 5;
const SENDS = 200;
const SWITCHES = 20;
const BUSY_MESSAGES = Number(process.env.BUSY_MESSAGES ?? 1_000);
/** The server takes so many a second or more on any machine, or something is wrong with it. */
const BUSY_PER_SECOND_MIN = 20;

await run(async () => {
  await loads("sign-in page, never here before", async () => (await context()).newPage(), (page) => page.getByLabel("User name").waitFor());
  const ann = await newcomer("ann");
  const bob = await newcomer("bob");
  const cid = await newcomer("cid");
  const id = await befriend(ann, bob);
  const other = await befriend(ann, cid);
  await signedInLoads(ann);
  await switches(ann.page, [id, other]);
  for (const { page } of [ann, bob]) await page.goto(`${origin}/#/chats/${id}`);
  await latency(ann.page, bob.page);
  await busy(ann.page, bob.page, id);
});

/**
 * Bytes and requests until the network is quiet, and when the page is of use.
 * @param {string} what
 * @param {() => Promise<import("playwright-core").Page>} open a page that is empty
 * @param {(page: import("playwright-core").Page) => Promise<void>} usable
 */
async function loads(what, open, usable) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const page = await open();
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    let bytes = 0;
    let requests = 0;
    session.on("Network.loadingFinished", ({ encodedDataLength }) => {
      bytes += encodedDataLength;
      requests += 1;
    });
    await page.goto(origin, { waitUntil: "commit" });
    await usable(page);
    const ms = await page.evaluate(() => performance.now());
    await page.waitForLoadState("networkidle");
    rounds.push({ bytes, requests, ms });
    await page.context().close();
  }
  rounds.sort((a, b) => a.ms - b.ms);
  const { bytes, requests } = rounds[0];
  const median = rounds[Math.floor(ROUNDS / 2)].ms.toFixed(0);
  console.log(`${what}: ${(bytes / 1024).toFixed(0)} KiB in ${requests} requests, of use after ${median} ms (median of ${ROUNDS})`);
}

/**
 * Somebody who is signed in opens the page: first in a browser that kept the sign-in and nothing
 * else, then in one that kept the files, too.
 * @param {import("./stage.mjs").Person} person who has conversations
 */
async function signedInLoads(person) {
  const storageState = await person.context.storageState();
  const listed = (/** @type {import("playwright-core").Page} */ page) => page.getByRole("link", { name: /bob/ }).first().waitFor();
  await loads("signed in, nothing kept", async () => (await context({ storageState })).newPage(), listed);
  await loads("signed in, files kept", async () => {
    const browsing = await context({ storageState });
    const before = await browsing.newPage();
    await before.goto(origin);
    await listed(before);
    await before.waitForLoadState("networkidle");
    await before.close();
    return browsing.newPage();
  }, listed);
}

/**
 * From a click in the list to the frame that has the other conversation.
 * @param {import("playwright-core").Page} page @param {string[]} ids
 */
async function switches(page, ids) {
  // A conversation that was made beside the page is in its list when it is loaded anew.
  await page.reload();
  for (const id of ids) await page.locator(`myim-conversation-list a[href="#/chats/${id}"]`).waitFor();
  const times = [];
  for (let turn = 0; turn < SWITCHES; turn += 1) {
    const id = ids[turn % ids.length];
    times.push(
      await page.evaluate(async (id) => {
        const link = /** @type {HTMLElement} */ (document.querySelector(`myim-conversation-list a[href="#/chats/${id}"]`));
        const began = performance.now();
        link.click();
        const isThere = () => /** @type {any} */ (document.querySelector("myim-conversation"))?.conversationId === id && document.querySelector("myim-composer textarea");
        while (!isThere()) await new Promise(requestAnimationFrame);
        return performance.now() - began;
      }, id),
    );
  }
  const [first, ...later] = times;
  later.sort((a, b) => a - b);
  console.log(`to a conversation: the first after ${first.toFixed(0)} ms, others after ${later[Math.floor(later.length / 2)].toFixed(0)} ms (median of ${later.length})`);
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
  // The writer's own page would draw every message, too, and two pages take the processors from each other.
  await writer.goto(`${origin}/#/settings/about`);
  const desk = await (await context()).newPage();
  await desk.goto(origin);
  const before = await memory(page);
  const texts = Array.from({ length: BUSY_MESSAGES }, (_, at) => `busy message ${at + 1} with a few words in it`);
  const longest = (BUSY_MESSAGES / BUSY_PER_SECOND_MIN) * 1_000;
  const began = Date.now();
  await within(longest, `${BUSY_MESSAGES} messages are written`, writeMany(writer, id, texts, desk));
  const written = (Date.now() - began) / 1_000;
  await page.getByRole("log").getByText(`busy message ${BUSY_MESSAGES} `).waitFor({ timeout: longest });
  const shown = (Date.now() - began) / 1_000;
  const after = await memory(page);
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  console.log(
    `${BUSY_MESSAGES} messages into the open conversation: written in ${written.toFixed(0)} s, shown after ${shown.toFixed(0)} s, heap ${before.toFixed(1)} MiB before, ${after.toFixed(1)} MiB after, ${nodes} elements`,
  );
}

/** @template T @param {number} ms @param {string} what @param {Promise<T>} work */
function within(ms, what, work) {
  const late = new Promise((_, reject) => setTimeout(reject, ms, new Error(`not within ${ms / 1000} s: ${what}`)).unref());
  return Promise.race([work, late]);
}

/** What is left of the heap after everything was collected, in MiB. @param {import("playwright-core").Page} page */
async function memory(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize / 2 ** 20;
}
