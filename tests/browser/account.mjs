// Signing in and out: with the wrong and the right password, here and everywhere; two accounts in two
// tabs of one browser, which do not mix; another password; devices, of which one is signed out.

import assert from "node:assert/strict";
import { api, befriend, context, newcomer, origin, picture, run } from "./stage.mjs";

/** The browser says so of what the server refuses. */
const REFUSED = [/status of 40[13]/, /WebSocket connection/];

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page */
function rail(page) {
  return page.getByRole("navigation", { name: "Main" });
}

/** @param {Page} page @param {string} section */
async function settings(page, section) {
  await page.goto(`${origin}/#/settings/${section}`);
}

/** @param {Page} page @param {string} name @param {string} password */
async function signIn(page, name, password) {
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.locator("form").getByRole("button", { name: "Sign in" }).click();
}

/** Another browser in which somebody signs in. @param {string} name @param {string} password */
async function elsewhere(name, password) {
  const browsing = await context({ expects: REFUSED });
  const page = await browsing.newPage();
  await page.goto(origin);
  await signIn(page, name, password);
  await rail(page).waitFor();
  return page;
}

/** @param {Page} page @param {string} button */
async function sure(page, button) {
  await page.getByRole("dialog").getByRole("button", { name: button, exact: true }).click();
}

/** The sign-ins that a browser keeps. @param {Page} page @returns {Promise<{username: string, token: string}[]>} */
function kept(page) {
  return page.evaluate(() => JSON.parse(localStorage.getItem("myim.accounts") ?? "[]"));
}

/** Whether the server still takes a sign-in. @param {string} token */
async function isTaken(token) {
  const answer = await fetch(`${origin}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  return answer.ok;
}

/** @param {Page} page */
function devices(page) {
  return page.getByRole("main").getByRole("listitem");
}

await run(async () => {
  await lacksSomething();
  const ann = await newcomer("ann", { expects: REFUSED });
  await outAndIn(ann.page);
  await twoAccounts(ann);
  await endsDevices(ann.page);
  await changesPassword(ann.page);
});

/** What a field lacks is said beside it and in our words, whatever language the browser speaks. */
async function lacksSomething() {
  const page = await (await context({ locale: "zh-CN" })).newPage();
  await page.goto(origin);
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("button", { name: "Create account" }).first().click();
  const name = page.getByLabel("User name");
  await page.locator("form").getByRole("button", { name: "Create account" }).click();
  await page.getByRole("alert").getByText("Enter your user name.").waitFor();
  assert(await name.evaluate((field) => field === document.activeElement && field.ariaInvalid === "true"));
  await name.fill("ann");
  await page.getByText("Enter your user name.").waitFor({ state: "detached" });
  const password = page.getByLabel("Password", { exact: true });
  const create = page.locator("form").getByRole("button", { name: "Create account" });
  await create.click();
  await page.getByRole("alert").getByText("Enter the password.").waitFor();
  await password.pressSequentially("short");
  await page.getByText("Enter the password.").waitFor({ state: "detached" });
  await create.click();
  await page.getByRole("alert").getByText("It needs at least 8 characters.").waitFor();
  assert(await password.evaluate((field) => field === document.activeElement && field.ariaInvalid === "true"));
  await page.getByLabel("Nickname (optional)").waitFor();
}

/** @param {Page} page */
async function outAndIn(page) {
  const [{ token } = { token: "" }] = await kept(page);
  assert(await isTaken(token));
  await settings(page, "devices");
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await sure(page, "Sign out");
  await page.getByRole("status").getByText("You are signed out.").waitFor();
  assert.deepEqual(await kept(page), []);
  assert.equal(await isTaken(token), false, "the server forgot the sign-in, too");

  await signIn(page, "ann", "secret of bob");
  await page.getByRole("alert").getByText("The user name or the password is wrong.").waitFor();
  await picture(page, "account-wrong-password");
  assert.equal(await page.getByLabel("User name").inputValue(), "ann");
  assert.deepEqual(await kept(page), []);
  await signIn(page, "ann", "secret of ann");
  await rail(page).waitFor();
  await page.reload();
  await rail(page).waitFor();
}

/** A second tab of Ann's browser is Bob's. @param {import("./stage.mjs").Person} ann */
async function twoAccounts(ann) {
  const tab = await ann.context.newPage();
  await tab.goto(`${origin}/#/settings/accounts`);
  await tab.getByText("In this tab").waitFor();
  await tab.getByRole("button", { name: "Use another account" }).click();
  await tab.getByRole("button", { name: "Continue as ann" }).waitFor();
  await tab.getByRole("button", { name: "Create account" }).first().click();
  await tab.getByLabel("User name").fill("bob");
  await tab.getByLabel("Password", { exact: true }).fill("secret of bob");
  await tab.locator("form").getByRole("button", { name: "Create account" }).click();
  await rail(tab).waitFor();
  const id = await befriend(ann, { ...ann, page: tab, name: "bob" });
  for (const page of [ann.page, tab]) await page.goto(`${origin}/#/chats/${id}`);

  // Each tab is one side of the conversation, also after it was loaded anew, and keeps its draft to itself.
  await say(ann.page, "from Ann's tab");
  await say(tab, "from Bob's tab");
  await ann.page.getByRole("textbox", { name: "Message" }).fill("what Ann has not sent");
  for (const again of [false, true]) {
    if (again) for (const page of [ann.page, tab]) await page.reload();
    for (const [page, own, other] of /** @type {[Page, string, string][]} */ ([[ann.page, "Ann", "Bob"], [tab, "Bob", "Ann"]])) {
      await page.locator("article.own").getByText(`from ${own}'s tab`).waitFor();
      await page.locator("article:not(.own)").getByText(`from ${other}'s tab`).waitFor();
    }
    await ann.page.waitForFunction(() => document.querySelector("textarea")?.value === "what Ann has not sent");
    assert.equal(await tab.getByRole("textbox", { name: "Message" }).inputValue(), "");
  }

  // Bob signs out; Ann's tab goes on.
  await settings(tab, "accounts");
  await tab.getByRole("button", { name: "Switch this tab to ann" }).waitFor();
  await tab.getByRole("button", { name: "Sign out", exact: true }).click();
  await sure(tab, "Sign out");
  await tab.getByRole("status").getByText("You are signed out.").waitFor();
  assert.deepEqual((await kept(tab)).map(({ username }) => username), ["ann"]);
  await say(ann.page, "still here");
  await ann.page.getByRole("log").locator("article", { hasText: "still here" }).getByRole("img", { name: "Sent" }).waitFor();
  // Whose sign-in is kept goes on in the tab without a password.
  await tab.getByRole("button", { name: "Continue as ann" }).click();
  await rail(tab).waitFor();
  await tab.close();
}

/** @param {Page} page */
async function endsDevices(page) {
  const others = [];
  for (let number = 0; number < 3; number += 1) others.push(await elsewhere("ann", "secret of ann"));
  await settings(page, "devices");
  await page.getByRole("heading", { name: "3 other devices" }).waitFor();
  await picture(page, "account-devices");
  const { items } = await api(page, "GET", "/sessions");
  const { name } = items.find((/** @type {any} */ one) => !one.current);
  await page.getByRole("button", { name: `Sign out ${name}` }).first().click();
  await sure(page, "Sign out");
  await page.getByText("The device is signed out.").waitFor();
  await page.getByRole("heading", { name: "2 other devices" }).waitFor();
  const ended = await Promise.any(others.map((other) => other.getByText("This device was signed out. Please sign in again.").waitFor().then(() => other)));
  const left = others.filter((other) => other !== ended);
  for (const other of left) assert(await rail(other).isVisible(), "only one was signed out");

  await page.getByRole("button", { name: "Sign out all other devices" }).click();
  await sure(page, "Sign out");
  for (const other of left) await other.getByText("This device was signed out. Please sign in again.").waitFor();
  await page.getByText("You are not signed in anywhere else.").waitFor();
  assert.equal(await devices(page).count(), 1);
  for (const other of others) await other.context().close();
}

/** @param {Page} page */
async function changesPassword(page) {
  const other = await elsewhere("ann", "secret of ann");
  await settings(page, "password");
  const change = page.getByRole("button", { name: "Change password" });
  await page.getByLabel("Current password", { exact: true }).fill("secret of bob");
  await page.getByLabel("New password", { exact: true }).fill("a better secret of ann");
  await change.click();
  await page.getByRole("alert").getByText("This is not your current password.").waitFor();
  assert(await rail(other).isVisible());
  await page.getByLabel("Current password", { exact: true }).fill("secret of ann");
  await change.click();
  await page.getByText("Your password was changed.").waitFor();
  // Other devices have to sign in again, with the new one.
  await other.getByText("This device was signed out. Please sign in again.").waitFor();
  await signIn(other, "ann", "secret of ann");
  await other.getByRole("alert").getByText("The user name or the password is wrong.").waitFor();
  await signIn(other, "ann", "a better secret of ann");
  await rail(other).waitFor();
  await page.reload();
  await rail(page).waitFor();
}

/** @param {Page} page @param {string} text */
async function say(page, text) {
  const field = page.getByRole("textbox", { name: "Message" });
  await field.fill(text);
  await field.press("Enter");
}
