// What two new people do in their first minutes, by hand: accounts, contacts, a conversation with
// everything that messages can do, a group with somebody who has an existing Windows client.

import assert from "node:assert/strict";
import { SERVER_AWAY, api, newcomer, picture, please, run } from "./stage.mjs";

/** @param {import("playwright-core").Page} page @param {string} text */
async function say(page, text) {
  const field = page.getByRole("textbox", { name: "Message" });
  await field.fill(text);
  await field.press("Enter");
}

/** The message that says this. @param {import("playwright-core").Page} page @param {string | RegExp} text */
function message(page, text) {
  return page.getByRole("log").getByRole("article").filter({ hasText: text }).last();
}

/** @param {import("playwright-core").Page} page @param {string} text @param {string} item */
async function menu(page, text, item) {
  await message(page, text).click({ button: "right" });
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

await run(async () => {
  const ann = await newcomer("ann", { expects: SERVER_AWAY });
  const bob = await newcomer("bob");

  // Ann finds Bob and asks; Bob says yes, and both can write.
  await ann.page.getByRole("link", { name: "Find people" }).click();
  await ann.page.getByLabel("Name or number").fill("bob");
  await ann.page.getByRole("button", { name: "Add contact" }).first().click();
  await ann.page.getByLabel("A note, so that they know who you are").fill("It is Ann from the third floor");
  await ann.page.getByRole("button", { name: "Ask", exact: true }).click();
  await bob.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: /People/ }).click();
  await bob.page.getByRole("link", { name: /Requests/ }).click();
  await bob.page.getByText("It is Ann from the third floor").waitFor();
  await bob.page.getByRole("button", { name: "Accept ann" }).click();
  await ann.page.goto(`${new URL(ann.page.url()).origin}/#/people`);
  await ann.page.getByRole("link", { name: /bob/ }).first().click();
  await ann.page.getByRole("main").getByRole("button", { name: "Message" }).or(ann.page.getByRole("main").getByRole("link", { name: "Message" })).first().click();
  await say(ann.page, "Good morning!");
  await message(ann.page, "Good morning!").waitFor();

  // Bob sees that there is something, opens it, and Ann sees that it was read.
  await bob.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: /Chats/ }).click();
  const row = bob.page.getByRole("link", { name: /ann/ }).first();
  await row.waitFor();
  await message(ann.page, "Good morning!").getByText("Delivered").or(message(ann.page, "Good morning!").getByLabel("Delivered")).waitFor();
  await row.click();
  await message(bob.page, "Good morning!").waitFor();
  await message(ann.page, "Good morning!").getByText("Read").or(message(ann.page, "Good morning!").getByLabel("Read")).waitFor();

  // Typing is seen.
  await bob.page.getByRole("textbox", { name: "Message" }).pressSequentially("Mor", { delay: 50 });
  await ann.page.getByText("typing…").first().waitFor();
  await say(bob.page, "Morning, see https://example.org/a?b=c");
  await message(ann.page, "Morning, see").waitFor();
  const link = message(ann.page, "Morning, see").getByRole("link", { name: "https://example.org/a?b=c" });
  assert.match((await link.getAttribute("rel")) ?? "", /noopener/);

  // Replies, reactions, edits, recalls.
  await menu(ann.page, "Morning, see", "Reply");
  await say(ann.page, "I saw it");
  await message(bob.page, "I saw it").getByText("Morning, see").waitFor();
  await message(bob.page, "I saw it").click({ button: "right" });
  await bob.page.getByRole("menu").getByRole("menuitem", { name: "React with 👍" }).click();
  await message(ann.page, "I saw it").getByText("👍").waitFor();
  await menu(ann.page, "I saw it", "Edit");
  // While the server takes its time with an edit, the next message is a message of its own.
  const held = await holdEdit(ann.page);
  await say(ann.page, "I have seen it");
  await say(ann.page, "Oops, wrong window");
  await message(bob.page, "Oops, wrong window").waitFor();
  await (await held.asked).continue();
  await message(bob.page, "I have seen it").getByText("edited").waitFor();

  // An edit that did not work is still there to be tried again.
  await menu(ann.page, "I have seen it", "Edit");
  const failing = await holdEdit(ann.page);
  await say(ann.page, "I have seen it twice");
  await (await failing.asked).abort("internetdisconnected");
  await ann.page.getByText("Edit message").first().waitFor();
  assert.equal(await ann.page.getByRole("textbox", { name: "Message" }).inputValue(), "I have seen it twice");
  await ann.page.getByRole("textbox", { name: "Message" }).press("Enter");
  await message(bob.page, "I have seen it twice").waitFor();
  await menu(ann.page, "Oops, wrong window", "Recall");
  await ann.page.getByRole("dialog").getByRole("button", { name: "Recall" }).click();
  await bob.page.getByText("ann recalled a message").first().waitFor();
  assert.equal(await bob.page.getByRole("log").getByText("Oops, wrong window").count(), 0);
  await picture(ann.page, "tour-direct");

  // A group with somebody who has an existing client.
  const number = await please("old-client-joins eve");
  await ann.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: /People/ }).click();
  await please(`old-client-befriends ${await userNumber(ann.page)}`);
  await ann.page.getByRole("link", { name: /Requests/ }).click();
  await ann.page.getByRole("button", { name: "Accept eve" }).click();
  await ann.page.getByText("You are contacts now.").waitFor();
  await please("old-client-was-accepted");
  await please(`old-client-says ${await userNumber(ann.page)} hello from the old client`);
  await ann.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: /Chats/ }).click();
  await ann.page.getByRole("link", { name: /eve/ }).first().click();
  await message(ann.page, "hello from the old client").waitFor();
  await say(ann.page, "welcome");
  await please("old-client-hears welcome");
  assert.match(number, /^\d+$/);

  // A face of the existing clients is one there, and an emoji here.
  await ann.page.getByRole("button", { name: "Emoji", exact: true }).click();
  const faces = ann.page.getByRole("dialog", { name: "Emoji" });
  await faces.getByRole("button", { name: "Faces of the Flamingo clients" }).click();
  await picture(ann.page, "tour-faces");
  await faces.locator("#emoji-group-faces").getByRole("button", { name: "pile of poo" }).click();
  await ann.page.getByRole("textbox", { name: "Message" }).press("Enter");
  await please("old-client-shows 15");
  await please(`old-client-sends-face ${await userNumber(ann.page)} 37`);
  await message(ann.page, "😄").waitFor();
  await ann.page.getByRole("link", { name: /eve.*😄/ }).first().waitFor();

  // Ann makes a group with Bob, and asks the person with the existing client into it.
  await ann.page.getByRole("button", { name: "New chat" }).first().click();
  const dialog = ann.page.getByRole("dialog");
  await dialog.getByRole("button", { name: "New group" }).click();
  await dialog.getByLabel("Group name").fill("Third floor");
  await dialog.getByRole("checkbox", { name: "bob" }).click();
  await dialog.getByRole("button", { name: "Create with 1 contact" }).click();
  await ann.page.getByText("created the group “Third floor”").first().waitFor();
  const { group } = await conversation(ann.page);
  await ann.page.getByRole("main").getByRole("link", { name: /Third floor/ }).first().click();
  await ann.page.getByRole("button", { name: "Invite", exact: true }).click();
  await dialog.getByRole("checkbox", { name: "eve" }).click();
  await dialog.getByRole("button", { name: "Invite", exact: true }).click();
  await ann.page.getByRole("list", { name: "Members" }).getByText("eve").waitFor();

  // What each of them says in the group, the others get.
  await ann.page.getByRole("button", { name: "Message", exact: true }).click();
  await say(ann.page, "all of us");
  await please("old-client-hears all of us");
  await bob.page.getByRole("link", { name: /Third floor/ }).first().click();
  await message(bob.page, "all of us").waitFor();
  await bob.page.getByText("ann added eve.").first().waitFor();
  await say(bob.page, "and me");
  await please("old-client-hears and me");
  await message(ann.page, "and me").waitFor();
  await please(`old-client-says ${group.id} me too`);
  for (const { page } of [ann, bob]) await message(page, "me too").getByText("eve").first().waitFor();
  await picture(ann.page, "tour-group");
});

/** The conversation that a page shows. @param {import("playwright-core").Page} page */
async function conversation(page) {
  const id = new URL(page.url()).hash.split("/").at(-1);
  const { items } = await api(page, "GET", "/conversations");
  return items.find((/** @type {any} */ one) => one.id === id);
}

/** Keeps the next edit of a page on its way. @param {import("playwright-core").Page} page */
async function holdEdit(page) {
  /** @type {(route: import("playwright-core").Route) => void} */
  let come = () => {};
  /** @type {Promise<import("playwright-core").Route>} */
  const asked = new Promise((resolve) => (come = resolve));
  let isHeld = false;
  await page.route(/\/messages\/\d+$/, (route) => {
    if (isHeld || route.request().method() !== "PATCH") return route.fallback();
    isHeld = true;
    come(route);
  });
  return { asked };
}

/** The number of the account of a page. @param {import("playwright-core").Page} page */
function userNumber(page) {
  return page.evaluate(() => sessionStorage.getItem("myim.account"));
}
