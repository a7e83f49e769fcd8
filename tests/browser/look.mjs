// Every page, at three widths, in both themes and both languages: looked at by axe for what keeps
// people out, and kept as a picture for people to look at.

import assert from "node:assert/strict";
import { api, axePath, befriend, newcomer, origin, picture, please, run } from "./stage.mjs";

const WIDTHS = [
  { name: "phone", width: 360, height: 740 },
  { name: "tablet", width: 768, height: 1024 },
  { name: "desktop", width: 1440, height: 900 },
];
const LANGUAGES = { en: "English", zh: "中文" };

await run(async () => {
  const ann = await newcomer("ann");
  const bob = await newcomer("bob");
  const id = await befriend(ann, bob);
  await please("grant ann");
  const bobId = (await api(bob.page, "GET", "/me")).id;
  const { group } = await api(ann.page, "POST", "/groups", { name: "Release 1.0", member_ids: [bobId] });
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
  const admin = ["overview", "users", "sessions", "groups", "storage", "invites", "upgrades", "errors", "config", "audit", "log_check"];
  const settings = ["profile", "password", "devices", "accounts", "export", "notifications", "appearance", "about"];
  const places = {
    chats: "#/chats",
    conversation: `#/chats/${id}`,
    "group-conversation": `#/chats/${group.conversation}`,
    people: "#/people",
    requests: "#/people/requests",
    find: "#/people/find",
    user: `#/people/user/${bobId}`,
    group: `#/people/group/${group.id}`,
    ...Object.fromEntries(settings.map((one) => [`settings-${one}`, `#/settings/${one}`])),
    ...Object.fromEntries(admin.map((one) => [`admin-${one}`, `#/admin/${one}`])),
  };
  const { page } = ann;
  /** @type {string[]} */
  const findings = [];
  for (const [language, label] of Object.entries(LANGUAGES)) {
    await page.evaluate((chosen) => {
      const kept = JSON.parse(localStorage.getItem("myim.preferences") ?? "{}");
      localStorage.setItem("myim.preferences", JSON.stringify({ ...kept, language: chosen }));
    }, language);
    await page.reload();
    for (const [name, place] of Object.entries(places)) {
      await page.goto(`${origin}/${place}`);
      await page.locator("myim-shell h1, myim-shell h2").first().waitFor();
      for (const theme of /** @type {const} */ (["light", "dark"])) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        for (const { name: width, ...viewport } of WIDTHS) {
          await page.setViewportSize(viewport);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
          if (wide) findings.push(`${name}, ${label}, ${width}: wider than the screen`);
          await picture(page, `${name}-${language}-${theme}-${width}`);
        }
        if (language === "en") findings.push(...(await axe(page, `${name}, ${theme}`)));
      }
    }
  }
  // The page that nobody is signed in on.
  const guest = await ann.context.browser()?.newContext({ locale: "en-US" });
  const door = await guest?.newPage();
  assert(door);
  await door.goto(origin);
  await door.getByRole("button", { name: "Sign in" }).waitFor();
  for (const theme of /** @type {const} */ (["light", "dark"])) {
    await door.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    findings.push(...(await axe(door, `sign-in, ${theme}`)));
    for (const { name: width, ...viewport } of WIDTHS) {
      await door.setViewportSize(viewport);
      await picture(door, `sign-in-${theme}-${width}`);
    }
  }
  assert.deepEqual(findings, []);
});

/** What axe finds serious. @param {import("playwright-core").Page} page @param {string} where */
async function axe(page, where) {
  // The page's policy lets no script in from elsewhere, but those that the browser itself adds.
  if (!(await page.evaluate(() => "axe" in window))) {
    const { readFileSync } = await import("node:fs");
    await page.evaluate(readFileSync(axePath, "utf8"));
  }
  const { violations } = await page.evaluate(() => /** @type {any} */ (window).axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter((/** @type {any} */ one) => ["serious", "critical"].includes(one.impact))
    .map((/** @type {any} */ one) => `${where}: ${one.id}, ${one.nodes.map((/** @type {any} */ node) => node.html.slice(0, 120)).join(" | ")}`);
}
