// Every page at three widths, in both themes and both languages, and what opens in front of pages:
// looked at by axe for what keeps people out, and kept as a picture for people to look at.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { api, axePath, befriend, context, newcomer, origin, picture, please, run } from "./stage.mjs";
import { png } from "./png.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {"light" | "dark"} Theme */

const PHONE = { name: "phone", width: 360, height: 740 };
const DESKTOP = { name: "desktop", width: 1440, height: 900 };
const WIDTHS = [PHONE, { name: "tablet", width: 768, height: 1024 }, DESKTOP];
const LANGUAGES = { en: "English", zh: "中文" };
const THEMES = /** @type {const} */ (["light", "dark"]);
/** How axe looks at every page, and how at the main ones, too. */
const AXE = { everywhere: "en dark desktop", main: ["en light desktop", "zh light desktop", "en dark phone"] };
const MAIN = new Set(["chats", "conversation", "group-conversation", "people", "user", "group", "settings-profile", "admin-overview", "admin-users"]);

/** @type {string[]} */
const findings = [];

await run(async () => {
  const { page, id, groupConversation, places } = await furnish();
  for (const [language, label] of Object.entries(LANGUAGES)) {
    await speak(page, language);
    for (const [name, place] of Object.entries(places)) await lookAt(page, name, place, language, label);
  }
  await speak(page, "en");
  for (const viewport of [DESKTOP, PHONE]) {
    await page.setViewportSize(viewport);
    await lookInFront(page, { id, groupConversation }, viewport);
  }
  await lookAtDoor();
  assert.deepEqual(findings, []);
});

/** Somebody who has something of everything that pages show. */
async function furnish() {
  const ann = await newcomer("ann");
  const bob = await newcomer("bob");
  const cid = await newcomer("cid");
  const id = await befriend(ann, bob);
  await please("grant ann");
  const bobId = (await api(bob.page, "GET", "/me")).id;
  const cidId = (await api(cid.page, "GET", "/me")).id;
  await api(ann.page, "PUT", `/blocks/${cidId}`);
  const { group } = await api(ann.page, "POST", "/groups", { name: "Release 1.0", member_ids: [bobId] });
  await api(ann.page, "PATCH", `/groups/${group.id}`, { announcement: "We release on Fridays." });
  const talk = ["Shall we release today?", "Yes! The tests are green 🎉", "https://example.org/build/17 has the packages."];
  for (const conversation of [id, group.conversation]) {
    for (const [number, text] of talk.entries()) {
      const who = number % 2 ? bob : ann;
      await api(who.page, "POST", `/conversations/${conversation}/messages`, {
        client_id: `talk-${conversation}-${number}`,
        segments: [{ type: "text", text }],
      });
    }
  }
  await api(bob.page, "PUT", `/conversations/${id}/messages/1/reactions/${encodeURIComponent("👍")}`);
  await sendPicture(ann.page, id);
  const admin = ["overview", "users", "sessions", "groups", "storage", "invites", "upgrades", "errors", "config", "audit", "log_check"];
  const settings = ["profile", "password", "devices", "accounts", "export", "notifications", "appearance", "about"];
  const places = {
    chats: "#/chats",
    conversation: `#/chats/${id}`,
    "group-conversation": `#/chats/${group.conversation}`,
    people: "#/people",
    requests: "#/people/requests",
    groups: "#/people/groups",
    blocked: "#/people/blocked",
    find: "#/people/find",
    "find-groups": "#/people/find?what=groups",
    user: `#/people/user/${bobId}`,
    group: `#/people/group/${group.id}`,
    "group-settings": `#/people/group/${group.id}/settings`,
    ...Object.fromEntries(settings.map((one) => [`settings-${one}`, `#/settings/${one}`])),
    ...Object.fromEntries(admin.map((one) => [`admin-${one}`, `#/admin/${one}`])),
    "admin-user": `#/admin/users/${bobId}`,
  };
  return { page: ann.page, id, groupConversation: group.conversation, places };
}

/** @param {Page} page @param {string} conversation */
async function sendPicture(page, conversation) {
  const { image_url } = await api(page, "GET", "/server");
  const token = await page.evaluate(() => JSON.parse(localStorage.getItem("myim.accounts") ?? "[]")[0].token);
  const answer = await fetch(`${image_url}/images?name=square.png`, { method: "POST", headers: { authorization: `Bearer ${token}` }, body: png(320, 240) });
  const { file, size } = await answer.json();
  const segments = [{ type: "image", file, size, width: 320, height: 240 }];
  await api(page, "POST", `/conversations/${conversation}/messages`, { client_id: "picture", segments });
}

/** @param {Page} page @param {string} language */
async function speak(page, language) {
  await page.evaluate((chosen) => {
    const kept = JSON.parse(localStorage.getItem("myim.preferences") ?? "{}");
    localStorage.setItem("myim.preferences", JSON.stringify({ ...kept, language: chosen }));
  }, language);
  await page.reload();
}

/** @param {Page} page @param {Theme} theme */
function wear(page, theme) {
  return page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
}

/** @param {Page} page @param {string} name @param {string} place @param {string} language @param {string} label */
async function lookAt(page, name, place, language, label) {
  await page.goto(`${origin}/${place}`);
  await page.locator("myim-shell h1, myim-shell h2").first().waitFor();
  for (const theme of THEMES) {
    await wear(page, theme);
    for (const { name: width, ...viewport } of WIDTHS) {
      await page.setViewportSize(viewport);
      const where = `${name}, ${label}, ${theme}, ${width}`;
      await isNarrow(page, where);
      await picture(page, `${name}-${language}-${theme}-${width}`);
      if (AXE.everywhere === `${language} ${theme} ${width}` || (MAIN.has(name) && AXE.main.includes(`${language} ${theme} ${width}`))) await axe(page, where);
    }
  }
}

/**
 * What opens in front of a page: windows, menus, and what one chooses from.
 * @param {Page} page @param {{id: string, groupConversation: string}} conversations @param {{name: string, width: number, height: number}} viewport
 */
async function lookInFront(page, { id, groupConversation }, viewport) {
  const chat = `#/chats/${id}`;
  const field = () => page.getByRole("textbox", { name: "Message" });
  const article = () => page.getByRole("log").getByRole("article").filter({ hasText: "Shall we release" }).last();
  const messageMenu = () => article().click({ button: "right" });
  const square = { name: "square.png", mimeType: "image/png", buffer: png(320, 240) };
  /** @type {Record<string, {place: string, open: () => Promise<unknown>, shown: string}>} */
  const fronts = {
    switcher: { place: chat, open: () => page.keyboard.press("Control+k"), shown: "dialog [role=option]" },
    "new-chat": { place: "#/chats", open: () => page.getByRole("button", { name: "New chat" }).first().click(), shown: "dialog .row" },
    "new-group": { place: "#/people", open: async () => {
      await page.getByRole("button", { name: "New group" }).or(page.getByRole("button", { name: "More" })).first().click();
      if (await page.getByRole("menu").isVisible()) await page.getByRole("menuitem", { name: "New group" }).click();
    }, shown: "dialog myim-member-picker .row" },
    emoji: { place: chat, open: () => page.getByRole("button", { name: "Emoji", exact: true }).click(), shown: ".emoji-button" },
    attach: { place: chat, open: () => page.locator(".composer-file").setInputFiles([square, { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("bread") }]), shown: "dialog .attach-row" },
    lightbox: { place: chat, open: () => page.getByRole("button", { name: /^Picture/ }).last().click(), shown: "dialog.lightbox img" },
    "message-menu": { place: chat, open: messageMenu, shown: ".menu-item" },
    "conversation-menu": { place: chat, open: () => page.getByRole("button", { name: "More about this conversation" }).click(), shown: ".menu-item" },
    notify: { place: chat, open: async () => {
      await page.getByRole("button", { name: "More about this conversation" }).click();
      await page.getByRole("menuitem", { name: "Notifications…" }).click();
    }, shown: "dialog [type=radio]" },
    forward: { place: chat, open: async () => {
      await messageMenu();
      await page.getByRole("menuitem", { name: "Forward" }).click();
    }, shown: "dialog .forward-to" },
    confirm: { place: "#/settings/devices", open: () => page.getByRole("button", { name: "Sign out", exact: true }).click(), shown: "dialog .dialog-text" },
    search: { place: chat, open: async () => {
      await page.getByRole("button", { name: "Search in this conversation" }).click();
      await page.getByRole("searchbox", { name: "Search in this conversation" }).fill("release");
    }, shown: ".search-hit" },
    mention: { place: `#/chats/${groupConversation}`, open: () => field().pressSequentially("@"), shown: ".mention-item" },
    crop: { place: "#/settings/profile", open: async () => {
      const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Change picture" }).click()]);
      await chooser.setFiles(square);
    }, shown: "dialog canvas" },
  };
  for (const [name, { place, open, shown }] of Object.entries(fronts)) {
    await page.goto(`${origin}/${place}`);
    await page.locator(place === chat ? ".message .picture img.there" : "myim-shell :is(h1, h2):visible").first().waitFor();
    await open();
    await page.locator(shown).first().waitFor();
    for (const theme of THEMES) {
      await wear(page, theme);
      const where = `${name}, ${theme}, ${viewport.name}`;
      await isNarrow(page, where);
      await picture(page, `front-${name}-${theme}-${viewport.name}`);
      if (theme === (viewport === PHONE ? "light" : "dark")) await axe(page, where);
    }
    await page.keyboard.press("Escape");
    await page.locator(shown).first().waitFor({ state: "detached" });
    if (name === "mention") await field().fill("");
  }
}

/** The page that nobody is signed in on, with both of its forms. */
async function lookAtDoor() {
  const browsing = await context();
  const door = await browsing.newPage();
  await door.goto(origin);
  const forms = { "sign-in": "Sign in", "sign-up": "Create account" };
  for (const [name, button] of Object.entries(forms)) {
    await door.locator("form").or(door.locator(".auth-other")).getByRole("button", { name: button }).last().click();
    await door.locator("form").getByRole("button", { name: button }).waitFor();
    if (name === "sign-up") await door.getByLabel("Password", { exact: true }).fill("12345");
    for (const theme of THEMES) {
      await wear(door, theme);
      for (const { name: width, ...viewport } of WIDTHS) {
        await door.setViewportSize(viewport);
        await isNarrow(door, `${name}, ${theme}, ${width}`);
        await picture(door, `${name}-${theme}-${width}`);
      }
      await axe(door, `${name}, ${theme}`);
    }
  }
}

/** @param {Page} page @param {string} where */
async function isNarrow(page, where) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  if (wide) findings.push(`${where}: wider than the screen`);
}

/** Notes what axe finds serious. @param {Page} page @param {string} where */
async function axe(page, where) {
  // The page's policy lets no script in from elsewhere, but those that the browser itself adds.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(readFileSync(axePath, "utf8"));
  const { violations } = await page.evaluate(() => /** @type {any} */ (window).axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, impact, nodes } of violations) {
    if (!["serious", "critical"].includes(impact)) continue;
    findings.push(`${where}: ${id}, ${nodes.map((/** @type {any} */ node) => node.html.slice(0, 120)).join(" | ")}`);
  }
}
