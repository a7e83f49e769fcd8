// What people do with messages every day: they find what was said, go from one conversation to
// another, put them in order, mention somebody, choose an emoji, copy, pass on, leave something half
// written, and try again what was refused.

import assert from "node:assert/strict";
import { api, befriend, newcomer, origin, picture, run } from "./stage.mjs";

/** The browser says so of a message that the server refuses. */
const REFUSED = [/status of 403/];

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page */
function field(page) {
  return page.getByRole("textbox", { name: "Message" });
}

/** @param {Page} page @param {string} text */
async function say(page, text) {
  await field(page).fill(text);
  await field(page).press("Enter");
}

/** The last message that says this. @param {Page} page @param {string} text */
function message(page, text) {
  return page.getByRole("log").getByRole("article").filter({ hasText: text }).last();
}

/** A row of the list of conversations. @param {Page} page @param {string} name */
function row(page, name) {
  return page.getByRole("list", { name: "Conversations" }).getByRole("listitem").filter({ has: page.locator(".row-name").getByText(name, { exact: true }) });
}

/** @param {Page} page @param {string} name @param {string} item */
async function rowMenu(page, name, item) {
  await row(page, name).getByRole("link").click({ button: "right" });
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

/** @param {Page} page @param {string} text @param {string} item */
async function menu(page, text, item) {
  await message(page, text).click({ button: "right" });
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

/** The names in the list of conversations, from above. @param {Page} page */
function order(page) {
  return page.getByRole("list", { name: "Conversations" }).locator(".row-name").allInnerTexts();
}

/** The conversation that is open is this one. @param {Page} page @param {string} name */
async function isOpen(page, name) {
  await page.getByRole("main").locator(".conversation-names").getByText(name, { exact: true }).waitFor();
}

await run(async () => {
  const ann = await newcomer("ann", { expects: REFUSED, permissions: ["clipboard-read", "clipboard-write"] });
  const bob = await newcomer("bob");
  const id = await befriend(ann, bob);
  const bobId = (await api(bob.page, "GET", "/me")).id;
  const { group } = await api(ann.page, "POST", "/groups", { name: "Third floor", member_ids: [bobId] });
  const places = { direct: `${origin}/#/chats/${id}`, group: `${origin}/#/chats/${group.conversation}` };
  for (const { page } of [ann, bob]) await page.goto(places.direct);

  await finds(ann.page, bob.page);
  await switches(ann.page);
  await putsInOrder(ann.page, bob.page, places);
  await mentions(ann.page, bob.page, places);
  await choosesEmoji(ann.page, bob.page);
  await copiesAndForwards(ann.page, bob.page, places);
  await keepsDrafts(ann.page);
  await triesAgain(ann.page, bob.page, { places, annId: (await api(ann.page, "GET", "/me")).id });
});

/** @param {Page} ann @param {Page} bob */
async function finds(ann, bob) {
  await say(bob, "The dentist has time on Thursday");
  for (let number = 1; number <= 30; number += 1) await say(bob, `small talk ${number}`);
  await message(ann, "small talk 30").waitFor();
  const search = ann.getByRole("searchbox", { name: "Search people, groups, messages" });
  await search.fill("dentist");
  const results = ann.getByRole("group", { name: "Search results" });
  await results.getByRole("link", { name: /The dentist has time/ }).click();
  await message(ann, "The dentist has time").waitFor();
  await ann.waitForFunction(() => {
    const shown = [...document.querySelectorAll("[role=log] article")].find((one) => one.textContent?.includes("dentist"));
    const { top, bottom } = shown?.getBoundingClientRect() ?? { top: -1, bottom: Infinity };
    return top >= 0 && bottom <= innerHeight;
  });
  await search.fill("bo");
  await results.getByRole("link", { name: "bob", exact: true }).waitFor();
  await search.fill("nothing of the kind");
  await ann.getByText("Nothing found for “nothing of the kind”.").waitFor();
  await search.press("Escape");

  // In one conversation only.
  await ann.getByRole("button", { name: "Search in this conversation" }).click();
  await ann.getByRole("searchbox", { name: "Search in this conversation" }).fill("talk 17");
  await ann.getByRole("list", { name: "Search results" }).getByRole("button", { name: /small talk 17/ }).click();
  await ann.keyboard.press("Escape");
}

/** @param {Page} ann */
async function switches(ann) {
  await ann.keyboard.press("Control+k");
  const dialog = ann.getByRole("dialog", { name: "Go to" });
  await dialog.getByRole("combobox").pressSequentially("thi");
  await dialog.getByRole("option", { name: "Third floor" }).waitFor();
  await ann.keyboard.press("Enter");
  await isOpen(ann, "Third floor");
  // With the arrow keys, too.
  await ann.keyboard.press("Control+k");
  await dialog.getByRole("option", { name: "bob" }).waitFor();
  while (!/bob/.test(await dialog.getByRole("option", { selected: true }).innerText())) await ann.keyboard.press("ArrowDown");
  await ann.keyboard.press("Enter");
  await isOpen(ann, "bob");
}

/** @param {Page} ann @param {Page} bob @param {{direct: string, group: string}} places */
async function putsInOrder(ann, bob, places) {
  await bob.goto(places.group);
  await say(bob, "news for all");
  await row(ann, "Third floor").getByText("news for all").waitFor();
  assert.deepEqual(await order(ann), ["Third floor", "bob"], "the newest first");
  await rowMenu(ann, "bob", "Pin to the top");
  await row(ann, "bob").getByText("Pinned").waitFor({ state: "attached" });
  await ann.waitForFunction(() => document.querySelector("myim-conversation-list .row-name")?.textContent === "bob");
  assert.deepEqual(await order(ann), ["bob", "Third floor"], "what is pinned stands above");

  await rowMenu(ann, "Third floor", "Notifications…");
  await ann.getByRole("dialog").getByLabel("Nothing").check();
  await ann.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await row(ann, "Third floor").getByText("Muted").waitFor({ state: "attached" });
  await ann.reload();
  await row(ann, "Third floor").getByText("Muted").waitFor({ state: "attached" });
  assert.deepEqual(await order(ann), ["bob", "Third floor"], "the server knows it");
  await rowMenu(ann, "bob", "Unpin");
  await ann.waitForFunction(() => document.querySelector("myim-conversation-list .row-name")?.textContent === "Third floor");
  await rowMenu(ann, "Third floor", "Hide until a new message arrives");
  await row(ann, "Third floor").waitFor({ state: "detached" });
  await say(bob, "more news");
  await row(ann, "Third floor").getByText("more news").waitFor();
}

/** @param {Page} ann @param {Page} bob @param {{direct: string, group: string}} places */
async function mentions(ann, bob, places) {
  await bob.goto(places.direct);
  // She types before it is known who is in the group.
  /** @type {() => void} */
  let hasTyped = () => {};
  const typed = new Promise((resolve) => (hasTyped = () => resolve(undefined)));
  const MEMBERS = /\/groups\/\d+\/members/;
  await ann.route(MEMBERS, async (route) => {
    await typed;
    await route.continue();
  });
  await ann.goto(places.group);
  await ann.reload();
  await isOpen(ann, "Third floor");
  await field(ann).pressSequentially("Can @bo");
  hasTyped();
  const list = ann.getByRole("listbox", { name: "Suggestions" });
  await list.getByRole("option", { name: /bob/ }).waitFor();
  await ann.unroute(MEMBERS);
  await picture(ann, "daily-mention");
  await ann.keyboard.press("Enter");
  assert.equal(await field(ann).inputValue(), "Can @bob ");
  await field(ann).pressSequentially("come?");
  await field(ann).press("Enter");
  await row(bob, "Third floor").getByText("You were mentioned").waitFor({ state: "attached" });
  await bob.goto(places.group);
  await message(bob, "come?").getByRole("link", { name: "@bob" }).waitFor();
  const { items } = await api(bob, "GET", `/conversations/${places.group.split("/").at(-1)}/messages`);
  assert.deepEqual(items.at(-1).segments.map((/** @type {any} */ one) => one.type), ["text", "mention", "text"]);
}

/** @param {Page} ann @param {Page} bob */
async function choosesEmoji(ann, bob) {
  await field(ann).fill("Up ");
  await ann.getByRole("button", { name: "Emoji", exact: true }).click();
  const picker = ann.getByRole("dialog", { name: "Emoji" });
  await picker.getByRole("searchbox", { name: "Search emoji" }).fill("rocket");
  // With fewer to choose from it is smaller: a click on where a rocket was would be one outside.
  await ann.waitForFunction(() => {
    const found = document.querySelectorAll(".emoji-popover .emoji-button").length;
    return found > 0 && found <= 64;
  });
  await picker.getByRole("button", { name: "rocket" }).first().click();
  await picker.waitFor({ state: "detached" });
  // What was chosen is written when the picker is gone, and not in the same moment.
  await ann.waitForFunction(() => document.querySelector("textarea")?.value === "Up 🚀");
  await field(ann).press("Enter");
  await message(bob, "Up 🚀").waitFor();
  // By its name, while one types.
  await field(ann).pressSequentially(":tada");
  await ann.getByRole("option", { name: /🎉/ }).waitFor();
  await ann.keyboard.press("Enter");
  await field(ann).press("Enter");
  await message(bob, "🎉").waitFor();
}

/** @param {Page} ann @param {Page} bob @param {{direct: string, group: string}} places */
async function copiesAndForwards(ann, bob, places) {
  await menu(ann, "more news", "Copy text");
  await ann.getByText("Copied.").waitFor();
  assert.equal(await ann.evaluate(() => navigator.clipboard.readText()), "more news");
  await menu(ann, "more news", "Forward");
  const dialog = ann.getByRole("dialog", { name: "Forward to" });
  await dialog.getByRole("checkbox", { name: "bob" }).check();
  await dialog.getByRole("button", { name: "Forward", exact: true }).click();
  await ann.getByRole("status").getByText("Forwarded").waitFor();
  await bob.goto(places.direct);
  await message(bob, "more news").getByText("Forwarded from bob").waitFor();
}

/** @param {Page} ann */
async function keepsDrafts(ann) {
  await field(ann).fill("half of a thought");
  await row(ann, "bob").getByRole("link").click();
  await isOpen(ann, "bob");
  assert.equal(await field(ann).inputValue(), "");
  await field(ann).fill("half of another");
  await row(ann, "Third floor").getByText("Draft:").waitFor();
  await ann.reload();
  const holds = (/** @type {string} */ text) => ann.waitForFunction((wanted) => document.querySelector("textarea")?.value === wanted, text);
  await holds("half of another");
  await row(ann, "Third floor").getByText("half of a thought").waitFor();
  await row(ann, "Third floor").getByRole("link").click();
  await holds("half of a thought");
  await field(ann).press("Enter");
  await message(ann, "half of a thought").waitFor();
  await ann.reload();
  await row(ann, "bob").getByText("half of another").waitFor();
  assert.equal(await field(ann).inputValue(), "");
}

/**
 * Bob blocks Ann: her message is refused, and sent when she tries again after he thought better of it.
 * @param {Page} ann @param {Page} bob @param {{places: {direct: string}, annId: string}} what
 */
async function triesAgain(ann, bob, { places, annId }) {
  await ann.goto(places.direct);
  await isOpen(ann, "bob");
  await bob.goto(`${origin}/#/people/user/${annId}`);
  await bob.getByRole("button", { name: "More about ann" }).last().click();
  await bob.getByRole("menuitem", { name: "Block" }).click();
  await bob.getByRole("dialog").getByRole("button", { name: "Block" }).click();
  await bob.getByText("You blocked this user.").waitFor();
  await say(ann, "can you hear me?");
  const refused = message(ann, "can you hear me?");
  await refused.getByRole("alert").getByText("Not sent. This person does not accept messages from you.").waitFor();
  await picture(ann, "daily-refused");
  await say(ann, "never mind");
  await message(ann, "never mind").getByRole("button", { name: "Discard" }).click();
  await ann.getByRole("log").getByText("never mind").waitFor({ state: "detached" });
  // It is still there after a reload, and not tried by itself.
  await ann.reload();
  await refused.getByRole("alert").waitFor();

  await bob.goto(`${origin}/#/people/blocked`);
  await bob.getByRole("button", { name: "Unblock ann" }).click();
  await bob.getByText("You have not blocked anyone.").waitFor();
  await bob.goto(places.direct);
  await refused.getByRole("button", { name: "Try again" }).click();
  await message(bob, "can you hear me?").waitFor();
  await refused.getByRole("img", { name: /Sent|Delivered|Read/ }).waitFor();
  assert.equal(await bob.getByRole("log").getByText("never mind").count(), 0);
}
