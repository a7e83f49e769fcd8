// What is loaded when: the sign-in page has nothing of what is behind it, whoever is signed in sees
// nothing of the sign-in page, and what does not come is told of with a way out.

import assert from "node:assert/strict";
import { context, newcomer, origin, run } from "./stage.mjs";

/** The browser says so of what the test keeps away. */
const KEPT_AWAY = [/ERR_FAILED|Failed to fetch dynamically imported module/];

await run(async () => {
  await signInPageIsSmall();
  await signedInAtOnce();
  await pageThatDoesNotCome();
  await shellThatDoesNotCome();
});

/** Addresses that a page asks for. @param {import("playwright-core").Page} page */
function asked(page) {
  const paths = /** @type {string[]} */ ([]);
  page.on("request", (request) => paths.push(new URL(request.url()).pathname));
  return paths;
}

async function signInPageIsSmall() {
  const browsing = await context();
  const page = await browsing.newPage();
  const paths = asked(page);
  await page.goto(origin);
  await page.getByLabel("User name").waitFor();
  await page.waitForLoadState("networkidle");
  assert(paths.some((path) => path.endsWith("/views/auth/sign_in.js")));
  const more = paths.filter((path) => /\/(client|shell|uploads|tus|linkify|people)\.(js|css)$/.test(path));
  assert.deepEqual(more, []);
  // What comes after the sign-in is fetched while somebody types.
  await Promise.all([page.waitForRequest(/\/state\/client\.js$/), page.waitForRequest(/\/styles\/chat\.css$/), page.getByLabel("User name").fill("a")]);
  await browsing.close();
}

async function signedInAtOnce() {
  const { context: browsing, page } = await newcomer("ann");
  await page.addInitScript(() => {
    /** @type {any} */ (window).sawSignIn = false;
    new MutationObserver(() => { if (document.querySelector("myim-sign-in")) /** @type {any} */ (window).sawSignIn = true; }).observe(document, { childList: true, subtree: true });
  });
  const paths = asked(page);
  await page.reload();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).sawSignIn), false);
  assert.equal(await page.getByRole("navigation", { name: "Main" }).evaluate((rail) => getComputedStyle(rail).display), "flex");
  await page.waitForLoadState("networkidle");
  const rare = paths.filter((path) => /\/(tus|lightbox|emoji_picker|attach_dialog|switcher|people_page)\.js$|\/i18n\/en\/(people|settings|admin)\.js$|\/(people|settings|admin)\.css$/.test(path));
  assert.deepEqual(rare, []);
  // A page comes with its texts and styles.
  await page.getByRole("link", { name: "People", exact: true }).click();
  await page.getByRole("heading", { name: "People", exact: true }).first().waitFor();
  assert(await page.evaluate(() => [...document.styleSheets].some(({ href }) => href?.endsWith("/styles/people.css"))));
  // Whichever page was open first, the styles have the same order.
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await page.getByRole("heading", { name: "Profile" }).first().waitFor();
  const names = await page.evaluate(() => [...document.styleSheets].map(({ href }) => href?.replace(/.*\/|\.css$/g, "")));
  assert.deepEqual(names, ["tokens", "base", "shell", "auth", "lists", "chat", "message", "compose", "attachments", "people", "settings"]);
  // In the other language, too.
  await page.goto(`${origin}/#/settings/appearance`);
  await page.getByLabel("简体中文").check();
  await page.getByRole("heading", { name: "外观" }).first().waitFor();
  await page.getByRole("link", { name: "联系人" }).first().waitFor();
  await browsing.close();
}

async function pageThatDoesNotCome() {
  const { context: browsing, page } = await newcomer("bob", { expects: KEPT_AWAY, serviceWorkers: "block" });
  await browsing.route(/\/views\/people\/people_page\.js$/, (route) => route.abort());
  await page.getByRole("link", { name: "People", exact: true }).click();
  await page.getByRole("alert").getByText("could not be loaded").waitFor();
  // The rest goes on.
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await page.getByRole("heading", { name: "Profile" }).first().waitFor();
  await page.getByRole("link", { name: "People", exact: true }).click();
  await browsing.unroute(/\/views\/people\/people_page\.js$/);
  await page.getByRole("alert").getByRole("button", { name: "Reload" }).click();
  await page.getByRole("heading", { name: "People", exact: true }).first().waitFor();
  await browsing.close();
}

async function shellThatDoesNotCome() {
  const browsing = await context({ expects: KEPT_AWAY, serviceWorkers: "block" });
  const page = await browsing.newPage();
  await browsing.route(/\/views\/shell\.js$/, (route) => route.abort());
  await page.goto(origin);
  await page.getByRole("button", { name: "Create account" }).first().click();
  await page.getByLabel("User name").fill("cid");
  await page.getByLabel("Password", { exact: true }).fill("secret of cid");
  await page.locator("form").getByRole("button", { name: "Create account" }).click();
  await page.getByRole("alert").getByText("could not be loaded").waitFor();
  await browsing.unroute(/\/views\/shell\.js$/);
  await page.getByRole("button", { name: "Reload" }).click();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  await browsing.close();
}
