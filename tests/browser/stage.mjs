// The stage on which people use the web client in a real Chromium: contexts, pages, and what they
// must never do. The Rust side of the tests runs the server and does to it what a script asks for.

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";

/** How long something may take that the test waits for, on a busy machine. */
export const PATIENCE_MS = 30_000;

const [modules, origin, artifacts] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "stage.cjs"));
const { chromium } = require("playwright-core");

export { origin };

/** Where axe stands, to be put into a page. */
export const axePath = require.resolve("axe-core/axe.min.js");

/** @type {import("playwright-core").Browser} */
let browser;
/** What pages complained of. @type {string[]} */
const complaints = [];
const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/**
 * Runs a script: opens the browser, and ends the process with what came of it.
 * @param {() => Promise<void>} play
 */
export async function run(play) {
  try {
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--force-color-profile=srgb",
      ],
    });
    await play();
    assert.deepEqual(complaints, [], "pages have nothing to complain of");
    console.log("all is well");
  } catch (error) {
    console.error(error);
    // They often tell why something did not come about.
    if (!(error instanceof assert.AssertionError && error.actual === complaints)) console.error("pages complain of", complaints);
    await picturesOfAll();
    process.exitCode = 1;
  } finally {
    await browser?.close();
    process.stdin.destroy();
  }
}

/**
 * Asks the Rust side for something, for example to crash the server; returns when it is done.
 * @param {string} wish
 * @returns {Promise<string>} what it answers
 */
export async function please(wish) {
  console.log(`please ${wish}`);
  const { value } = await answers.next();
  assert(value?.startsWith("done"), `${wish}: ${value}`);
  return value.slice("done ".length);
}

/**
 * A browser of somebody's own, with nothing in it.
 * @param {import("playwright-core").BrowserContextOptions & {expects?: RegExp[]}} [options] `expects`:
 *   errors that belong to the test
 */
export async function context({ expects = [], ...options } = {}) {
  const made = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 800 }, ...options });
  made.setDefaultTimeout(PATIENCE_MS);
  made.on("weberror", (error) => complain(String(error.error()?.stack ?? error.error()), expects));
  made.on("console", (message) => {
    if (message.type() === "error") complain(message.text(), expects);
  });
  return made;
}

/** @param {string} text @param {RegExp[]} expects */
function complain(text, expects) {
  if (!expects.some((expected) => expected.test(text))) complaints.push(text);
}

/** The browser says so whenever a server is away, which in some tests it is. */
export const SERVER_AWAY = [/ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection|ERR_INCOMPLETE_CHUNKED|ERR_SOCKET_NOT_CONNECTED/];

/**
 * Somebody who makes an account in a browser of its own and sees the list of conversations.
 * @param {string} name
 * @param {Parameters<typeof context>[0]} [options]
 */
export async function newcomer(name, options) {
  const browsing = await context(options);
  const page = await browsing.newPage();
  await page.goto(origin);
  await page.getByRole("button", { name: "Create account" }).first().click();
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(`secret of ${name}`);
  await page.locator("form").getByRole("button", { name: "Create account" }).click();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  return { context: browsing, page, name };
}

/**
 * A call of the API as the account of a page, beside what the page does.
 * @param {import("playwright-core").Page} page
 * @param {string} method @param {string} path @param {unknown} [body]
 */
export async function api(page, method, path, body) {
  const token = await page.evaluate(() => {
    const accounts = JSON.parse(localStorage.getItem("myim.accounts") ?? "[]");
    const current = sessionStorage.getItem("myim.account") ?? localStorage.getItem("myim.account");
    return accounts.find((/** @type {any} */ one) => one.user_id === current)?.token;
  });
  const response = await fetch(`${origin}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) },
    body: body ? JSON.stringify(body) : undefined,
  });
  const text = await response.text();
  assert(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** A sign-in of its own, because one device has one connection. @param {import("playwright-core").Page} page */
async function otherDevice(page) {
  const { username } = await api(page, "GET", "/me");
  const signed = await api(page, "POST", "/sessions", { username, password: `secret of ${username}`, device: { kind: "cli" } });
  return signed.token;
}

/**
 * Writes these texts in order, as fast as the server takes them, from a device of its own.
 * @param {import("playwright-core").Page} page @param {string} conversation @param {string[]} texts
 * @param {import("playwright-core").Page} [at] the page that does it, if the writer's has enough to do
 */
export async function writeMany(page, conversation, texts, at = page) {
  const token = await otherDevice(page);
  await at.evaluate(
    ({ token, conversation, texts }) => {
      const socket = new WebSocket(`${location.origin.replace("http", "ws")}/api/v1/ws`, "myim.v1");
      const run = `many-${Date.now()}`;
      const write = (/** @type {number} */ at) => {
        const segments = [{ type: "text", text: texts[at] }];
        socket.send(JSON.stringify({ id: at, op: "message.send", to: { conversation }, client_id: `${run}-${at}`, segments }));
      };
      return new Promise((resolve, reject) => {
        let written = 0;
        let answered = 0;
        socket.onopen = () => socket.send(JSON.stringify({ id: "hello", op: "hello", token }));
        socket.onmessage = ({ data }) => {
          const frame = JSON.parse(data);
          if (frame.error) reject(new Error(data));
          if (typeof frame.id === "number" && (answered += 1) === texts.length) resolve(socket.close());
          if (frame.id !== undefined) while (written < texts.length && written - answered < 100) write(written++);
        };
      });
    },
    { token, conversation, texts },
  );
}

/** Makes two people contacts, and returns their conversation's id. */
export async function befriend(/** @type {Person} */ ann, /** @type {Person} */ bob) {
  const bobUser = await api(bob.page, "GET", "/me");
  const request = await api(ann.page, "POST", "/contacts/requests", { user_id: bobUser.id });
  await api(bob.page, "POST", `/contacts/requests/${request.id}/accept`);
  const annUser = await api(ann.page, "GET", "/me");
  await api(bob.page, "POST", "/conversations", { user_id: annUser.id });
  const { conversation } = await api(ann.page, "POST", "/conversations", { user_id: bobUser.id });
  return conversation.id;
}

/** Makes the network of a page slow, or takes it away. @param {import("playwright-core").Page} page */
export async function networkOf(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  return (/** @type {{offline?: boolean, uploadThroughput?: number}} */ conditions) =>
    session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1, ...conditions });
}

/** @typedef {Awaited<ReturnType<typeof newcomer>>} Person */

/**
 * Keeps a picture of a page among the artifacts.
 * @param {import("playwright-core").Page} page @param {string} name
 */
export async function picture(page, name) {
  if (!artifacts) return;
  fs.mkdirSync(artifacts, { recursive: true });
  await page.screenshot({ path: path.join(artifacts, `${name}.png`) });
}

async function picturesOfAll() {
  let number = 0;
  for (const browsing of browser?.contexts() ?? []) {
    for (const page of browsing.pages()) await picture(page, `failed-${process.pid}-${(number += 1)}`).catch(() => {});
  }
}
