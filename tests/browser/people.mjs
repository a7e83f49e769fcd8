// People and groups, through the pages: a request that is declined, what one calls a contact, and a
// group from its first day to its last.

import assert from "node:assert/strict";
import { api, befriend, newcomer, origin, picture, run } from "./stage.mjs";

/** The browser says so when a page asks for a group that one is no member of any more. */
const NO_MEMBER = [/status of 40[34]/];

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("./stage.mjs").Person} Person */

/** @param {Page} page @param {string} place */
async function go(page, place) {
  await page.goto(`${origin}/#/${place}`);
}

/** @param {Page} page @param {string} text */
async function say(page, text) {
  const field = page.getByRole("textbox", { name: "Message" });
  await field.fill(text);
  await field.press("Enter");
}

/** What happened in the group, as a line of its conversation. @param {Page} page @param {string} text */
async function told(page, text) {
  await page.getByRole("log").getByText(text).last().waitFor();
}

/** Presses what a window in front of the page offers. @param {Page} page @param {string} button */
async function sure(page, button) {
  await page.getByRole("dialog").getByRole("button", { name: button, exact: true }).click();
}

/** @param {Page} page @param {string} name @param {string} item */
async function memberMenu(page, name, item) {
  await page.getByRole("list", { name: "Members" }).getByRole("button", { name: `More about ${name}` }).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

/** @param {Page} page */
function members(page) {
  return page.getByRole("list", { name: "Members" });
}

/** The conversations of the groups of somebody. @param {Page} page */
async function groups(page) {
  const { items } = await api(page, "GET", "/conversations");
  return items.filter((/** @type {any} */ one) => one.kind === "group");
}

await run(async () => {
  const ann = await newcomer("ann", { expects: NO_MEMBER });
  const bob = await newcomer("bob", { expects: NO_MEMBER });
  const cid = await newcomer("cid", { expects: NO_MEMBER });
  await befriend(ann, bob);
  const ids = Object.fromEntries(await Promise.all([ann, bob, cid].map(async ({ name, page }) => [name, (await api(page, "GET", "/me")).id])));
  await declines(ann.page, cid.page, ids.ann);
  await befriend(ann, cid);
  // What was made beside the page is in its lists when it is loaded anew.
  await ann.page.reload();
  await callsByAnotherName(ann.page, ids.bob);
  const group = await makesGroup(ann.page);
  for (const { page } of [bob, cid]) await go(page, `chats/${group.conversation}`);
  await changesGroup(ann.page, bob.page, group.id);
  await givesRoles(ann.page, bob.page, cid.page, group);
  await leavesAndEnds(ann.page, bob.page, cid.page, group);
});

/** @param {Page} ann @param {Page} cid @param {string} annId */
async function declines(ann, cid, annId) {
  await go(cid, `people/user/${annId}`);
  await cid.getByRole("button", { name: "Add contact" }).click();
  await cid.getByRole("dialog").getByRole("textbox").fill("You do not know me");
  await sure(cid, "Ask");
  await cid.getByText("You sent a contact request. It has not been answered yet.").waitFor();
  await cid.getByText("You have no contacts yet. Your request waits for an answer.").waitFor();
  await ann.getByRole("link", { name: /1 contact request/ }).click();
  await go(ann, "people/requests");
  await ann.getByText("You do not know me").waitFor();
  await ann.getByRole("button", { name: "Decline cid" }).click();
  await ann.getByText("No requests are waiting for your answer.").waitFor();
  await cid.getByRole("button", { name: "Add contact" }).waitFor();
  await cid.getByText("You have no contacts yet.", { exact: true }).waitFor();
  assert.deepEqual((await api(cid, "GET", "/contacts/requests")).items, []);
}

/** @param {Page} ann @param {string} bobId */
async function callsByAnotherName(ann, bobId) {
  await go(ann, `people/user/${bobId}`);
  await ann.getByRole("button", { name: "Alias" }).click();
  await ann.getByRole("dialog").getByRole("textbox").fill("Robert next door");
  await sure(ann, "Save");
  await ann.getByRole("main").getByText("Robert next door").first().waitFor();
  await go(ann, "chats");
  const list = ann.getByRole("list", { name: "Conversations" });
  await list.getByText("Robert next door").hover();
  // What one can do with a row covers nothing of it.
  const [time, more] = await Promise.all([".row-time", ".row-more"].map((part) => list.getByRole("listitem").filter({ hasText: "Robert" }).locator(part).boundingBox()));
  assert(time && more && time.x + time.width <= more.x, JSON.stringify({ time, more }));
  await ann.reload();
  await ann.getByRole("list", { name: "Conversations" }).getByText("Robert next door").waitFor();
  // Without a name of Ann's he has his own one again.
  await go(ann, `people/user/${bobId}`);
  await ann.getByRole("button", { name: "Alias" }).click();
  await ann.getByRole("dialog").getByRole("textbox").fill("");
  await sure(ann, "Save");
  await go(ann, "chats");
  await ann.getByRole("list", { name: "Conversations" }).getByText("bob", { exact: true }).waitFor();
}

/** @param {Page} ann @returns {Promise<{id: string, conversation: string}>} */
async function makesGroup(ann) {
  await ann.getByRole("button", { name: "New chat" }).first().click();
  await ann.getByRole("dialog").getByRole("button", { name: "New group" }).click();
  const dialog = ann.getByRole("dialog", { name: "New group" });
  await dialog.getByLabel("Group name").fill("Choir");
  // With the keyboard alone.
  await dialog.getByRole("searchbox", { name: "Search your contacts" }).fill("bo");
  await ann.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Remove bob" }).waitFor();
  await dialog.getByRole("checkbox", { name: "cid" }).click();
  await dialog.getByRole("button", { name: "Create with 2 contacts" }).click();
  await told(ann, "created the group “Choir”");
  const [made] = await groups(ann);
  return { id: made.group.id, conversation: made.id };
}

/** Its name, what all should know, and who may write. @param {Page} ann @param {Page} bob @param {string} id */
async function changesGroup(ann, bob, id) {
  await go(ann, `people/group/${id}/settings`);
  await ann.getByLabel("Group name").fill("Choir of the third floor");
  await ann.getByRole("radio", { name: "By invitation only" }).check();
  await ann.getByRole("button", { name: "Save" }).click();
  await ann.getByText("Saved.").first().waitFor();
  await told(bob, "ann renamed the group to “Choir of the third floor”.");
  await told(bob, "ann made the group invitation-only.");
  await bob.getByRole("heading", { name: "Choir of the third floor" }).waitFor();

  await go(ann, `people/group/${id}`);
  await ann.getByRole("button", { name: "Edit announcement" }).click();
  await ann.getByRole("dialog").getByRole("textbox").fill("We sing on Mondays.");
  await sure(ann, "Save");
  await ann.getByRole("main").getByText("We sing on Mondays.").waitFor();
  await told(bob, "ann announced: “We sing on Mondays.”.");
  await picture(ann, "people-group");

  const mute = ann.getByRole("checkbox", { name: "Only the owner and admins can write" });
  for (const muted of [true, false]) {
    await go(ann, `people/group/${id}/settings`);
    await mute.setChecked(muted);
    await ann.getByRole("button", { name: "Save" }).click();
    if (muted) await bob.getByText("Only admins can write in this group at the moment.").waitFor();
    else await bob.getByRole("textbox", { name: "Message" }).waitFor();
  }
}

/** @param {Page} ann @param {Page} bob @param {Page} cid @param {{id: string, conversation: string}} group */
async function givesRoles(ann, bob, cid, group) {
  await go(ann, `people/group/${group.id}`);
  await memberMenu(ann, "bob", "Make admin");
  await members(ann).getByRole("listitem").filter({ hasText: "bob" }).getByText("Admin").waitFor();
  await told(cid, "ann made bob an admin.");

  // An admin may silence somebody for a while.
  await go(bob, `people/group/${group.id}`);
  await bob.getByRole("link", { name: "Group settings" }).waitFor();
  await memberMenu(bob, "cid", "Mute");
  await bob.getByRole("dialog").getByLabel("1 hour").check();
  await sure(bob, "Mute");
  await cid.getByText(/You cannot write in this group until/).waitFor();
  await members(bob).getByText(/Muted until/).waitFor({ state: "attached" });
  await memberMenu(bob, "cid", "Unmute");
  await cid.getByRole("textbox", { name: "Message" }).waitFor();
  await say(cid, "la la la");

  await memberMenu(ann, "bob", "Remove as admin");
  await told(cid, "ann removed bob as an admin.");
  await memberMenu(ann, "bob", "Name in this group");
  await ann.getByRole("dialog").getByRole("textbox").fill("Second tenor");
  await sure(ann, "Save");
  await told(cid, "“Second tenor”");
}

/** @param {Page} ann @param {Page} bob @param {Page} cid @param {{id: string, conversation: string}} group */
async function leavesAndEnds(ann, bob, cid, group) {
  await memberMenu(ann, "cid", "Remove from group");
  await sure(ann, "Remove from group");
  await cid.getByRole("list", { name: "Conversations" }).getByText("Choir").waitFor({ state: "detached" });
  await go(cid, `people/group/${group.id}`);
  await cid.getByText("You can join this group by invitation only.").waitFor();

  await go(bob, `people/group/${group.id}`);
  await bob.getByRole("button", { name: "More about Choir of the third floor" }).click();
  await bob.getByRole("menuitem", { name: "Leave group" }).click();
  await sure(bob, "Leave group");
  await bob.getByText("You left Choir of the third floor.").waitFor();
  await go(ann, `chats/${group.conversation}`);
  await told(ann, "left the group.");

  await go(ann, `people/group/${group.id}/settings`);
  await ann.getByRole("button", { name: "Dissolve group" }).click();
  await sure(ann, "Dissolve group");
  await ann.getByText("Choir of the third floor is dissolved.").waitFor();
  assert.deepEqual(await groups(ann), []);
  await go(ann, "chats");
  await ann.getByRole("list", { name: "Conversations" }).getByText("bob").first().waitFor();
  assert.equal(await ann.getByRole("list", { name: "Conversations" }).getByText("Choir").count(), 0);
}
