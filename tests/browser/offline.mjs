// What is typed without a connection is sent once, in order, also after a reload and after the server
// was killed. The page opens without a network, too. Several tabs share one connection, and go on when the one that holds it is closed.

import assert from "node:assert/strict";
import { api, befriend, newcomer, origin, picture, please, run, SERVER_AWAY } from "./stage.mjs";

/** @param {import("playwright-core").Page} page @param {string} text */
async function say(page, text) {
  const field = page.getByRole("textbox", { name: "Message" });
  await field.fill(text);
  await field.press("Enter");
}

/** What a conversation says on the server, in order. */
async function texts(/** @type {import("playwright-core").Page} */ page, /** @type {string} */ id) {
  const { items } = await api(page, "GET", `/conversations/${id}/messages?limit=200`);
  return items.map((/** @type {any} */ one) => one.segments.map((/** @type {any} */ part) => part.text).join(""));
}

/** Waits until a draft is on the disk of the browser. @param {import("playwright-core").Page} page @param {string} text */
async function isKept(page, text) {
  await page.waitForFunction(async (wanted) => {
    const user = sessionStorage.getItem("myim.account");
    const database = await new Promise((resolve, reject) => {
      const opening = indexedDB.open(`myim-${user}`);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    const reading = database.transaction("drafts").objectStore("drafts").getAll();
    const drafts = await new Promise((resolve) => (reading.onsuccess = () => resolve(reading.result)));
    database.close();
    return JSON.stringify(drafts).includes(wanted);
  }, text);
}

/** @param {import("playwright-core").Page} page @param {string} text */
function shown(page, text) {
  return page.getByRole("log").getByText(text, { exact: true });
}

await run(async () => {
  const ann = await newcomer("ann", { expects: SERVER_AWAY });
  const bob = await newcomer("bob", { expects: SERVER_AWAY });
  const id = await befriend(ann, bob);
  for (const { page } of [ann, bob]) await page.goto(`${origin}/#/chats/${id}`);
  await say(ann.page, "zero");
  await shown(bob.page, "zero").waitFor();

  // Off line.
  await ann.context.setOffline(true);
  for (const text of ["one", "two", "three"]) await say(ann.page, text);
  await ann.page.getByRole("status").getByText(/No connection/).waitFor();
  await say(bob.page, "meanwhile");
  await shown(bob.page, "meanwhile").waitFor();
  assert.equal(await shown(ann.page, "meanwhile").count(), 0);
  await ann.context.setOffline(false);
  await shown(bob.page, "three").waitFor();
  await shown(ann.page, "meanwhile").waitFor();
  assert.deepEqual(await texts(ann.page, id), ["zero", "meanwhile", "one", "two", "three"]);

  // The server dies in the middle, and what was typed meanwhile is still there after a reload.
  await please("kill");
  await say(ann.page, "four");
  await say(bob.page, "five");
  await ann.page.getByRole("status").getByText(/No connection|Connecting/).waitFor();
  await please("start");
  await shown(bob.page, "four").waitFor();
  await shown(ann.page, "five").waitFor();
  const said = await texts(ann.page, id);
  assert.deepEqual([...said.slice(5)].sort(), ["five", "four"]);
  assert.equal(said.length, 7, "nothing was sent twice");

  // A message that waits survives the page, which opens without a network and says that there is none.
  // The page may have been off line before it had kept itself: then the next one does it.
  await ann.page.reload();
  await ann.page.waitForFunction(() => navigator.serviceWorker.ready.then(() => true));
  await ann.context.setOffline(true);
  await say(ann.page, "six");
  await shown(ann.page, "six").waitFor();
  await ann.page.getByRole("textbox", { name: "Message" }).fill("what was begun");
  await isKept(ann.page, "what was begun");
  await ann.page.close();
  ann.page = await ann.context.newPage();
  await ann.page.goto(`${origin}/`);
  await ann.page.getByRole("link", { name: "Your profile: ann" }).waitFor();
  await ann.page.getByRole("status").getByText(/No connection/).waitFor();
  await ann.page.getByText("Your conversations stand here once there is a connection.").waitFor();
  await ann.page.goto(`${origin}/#/chats/${id}`);
  await shown(ann.page, "six").waitFor();
  await ann.page.waitForFunction(() => document.querySelector("textarea")?.value === "what was begun");
  // What was written by others is on no disk of this browser.
  assert.equal(await ann.page.getByText("five").count(), 0);
  await picture(ann.page, "offline-opened");
  // Pages that were never open come from what was kept, too.
  for (const place of ["people/find", "settings/appearance"]) {
    await ann.page.goto(`${origin}/#/${place}`);
    await ann.page.getByRole("main").getByRole("heading").last().waitFor();
  }
  await ann.page.goto(`${origin}/#/chats/${id}`);
  await ann.context.setOffline(false);
  await shown(bob.page, "six").waitFor();
  await shown(ann.page, "five").waitFor();
  await shown(ann.page, "six").waitFor();

  // A second tab sees the same, and takes over.
  const second = await ann.context.newPage();
  await second.goto(`${origin}/#/chats/${id}`);
  await shown(second, "six").waitFor();
  await say(second, "from the second tab");
  await shown(ann.page, "from the second tab").waitFor();
  await say(bob.page, "to both tabs");
  await shown(second, "to both tabs").waitFor();
  await shown(ann.page, "to both tabs").waitFor();
  await ann.page.close();
  await say(bob.page, "to who is left");
  await shown(second, "to who is left").waitFor();
  const all = await texts(second, id);
  assert.equal(new Set(all).size, all.length, "nothing is there twice");
  const onScreen = await second.getByRole("log").getByRole("article").allInnerTexts();
  for (const text of all) assert.equal(onScreen.filter((one) => one.split("\n").includes(text)).length, 1, text);
});
