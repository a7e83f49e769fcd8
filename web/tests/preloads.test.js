// The lists of what is loaded at once are those of the sources, and every part has what it shows.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { closure, pageWith, source, wanted } from "./preloads.js";

const { CONVERSATION, SIGNED_IN } = await import("../views/preloads.js");
const HINT = "run node web/tests/preloads.js, and look at what it adds";
/** Modules that only those load who need them. */
const LATER = ["vendor/tus.js", "ui/builtin_avatar.js", "views/chats/lightbox.js", "views/chats/emoji_picker.js", "views/chats/attach_dialog.js", "views/chats/voice_recorder.js", "views/chats/switcher.js", "views/chats/forward_dialog.js", "views/people/avatar_crop.js"];
/** Files of texts that are there from the beginning. */
const FIRST_TEXTS = ["auth", "common", "errors"];
const FIRST_STYLES = ["tokens", "base", "auth"];

/** What `views/parts.js` says of each part. */
const parts = [...source("views/parts.js").matchAll(/export const (\w+) = new LazyPart\(\(\) => import\("\.\/([^"]+)"\)(?:, \{([^}]*)\})?/g)].map(([, name, module, more = ""]) => ({
  name,
  module: `views/${module}`,
  texts: listed(more, "texts"),
  styles: listed(more, "styles"),
}));

/** @param {string} options @param {string} name @returns {string[]} */
function listed(options, name) {
  const [, list = ""] = options.match(new RegExp(`${name}: \\[([^\\]]*)\\]`)) ?? [];
  return [...list.matchAll(/"(\w+)"/g)].map(([, one]) => one);
}

test("the page preloads what shows first, and nothing else", () => {
  assert.equal(source("index.html"), pageWith(wanted().first), HINT);
});

test("what somebody needs who is signed in comes at once", () => {
  assert.deepEqual(SIGNED_IN, wanted().signedIn, HINT);
  assert.deepEqual(CONVERSATION, wanted().conversation, HINT);
});

test("the sign-in page has nothing of what is behind it", () => {
  const first = wanted().first;
  assert.ok(first.includes("views/auth/sign_in.js") && first.length < 40, `${first.length} modules`);
  for (const path of first) assert.doesNotMatch(path, /^views\/(chats|people|settings|admin)\/|state\/(client|uploads|outbox)\.js|^vendor\/(?!lit\.js|icons\.js)/);
  const styles = [...source("index.html").matchAll(/styles\/(\w+)\.css/g)].map(([, name]) => name);
  assert.deepEqual(styles, FIRST_STYLES);
});

test("what is rarely used is loaded by who uses it", () => {
  const loaded = [...SIGNED_IN, ...CONVERSATION];
  for (const path of LATER) assert.ok(!loaded.includes(path), path);
  assert.ok(!SIGNED_IN.includes("vendor/linkify.js"));
});

test("every module of the page is reached", () => {
  const reached = new Set(["main.js", ...parts.map(({ module }) => module), "state/transfer.js", "ui/builtin_avatar.js"].flatMap((path) => closure(path)));
  const all = ["i18n", "net", "state", "ui", "views"].flatMap((folder) => readdirSync(new URL(`../${folder}`, import.meta.url), { recursive: true }).map((path) => `${folder}/${path}`));
  const unreached = all.filter((path) => path.endsWith(".js") && !/^i18n\/\w\w\//.test(path) && !reached.has(path));
  assert.deepEqual(unreached, []);
});

test("every part brings the texts that it shows", async () => {
  const files = readdirSync(new URL("../i18n/en", import.meta.url)).map((name) => name.replace(".js", ""));
  const fileOf = new Map();
  for (const file of files) for (const key of Object.keys((await import(`../i18n/en/${file}.js`))[file])) fileOf.set(key, file);
  const check = (/** @type {string} */ name, /** @type {string} */ entry, /** @type {string[]} */ texts) => {
    for (const path of closure(entry)) {
      for (const key of keysOf(path, [...fileOf.keys()])) {
        assert.ok(texts.includes(fileOf.get(key)), `${name} shows ${key} in ${path}, and does not load the texts of ${fileOf.get(key)}`);
      }
    }
  };
  assert.ok(parts.length > 10);
  check("the sign-in page", "main.js", FIRST_TEXTS);
  const signedIn = parts.find(({ name }) => name === "signedIn");
  for (const { name, module, texts } of parts) check(name, module, [...FIRST_TEXTS, ...(signedIn?.texts ?? []), ...texts]);
});

/** Keys of texts in a module, also those that are put together. @param {string} path @param {string[]} all */
function keysOf(path, all) {
  const code = source(path);
  const whole = [...code.matchAll(/"([a-z_]+(?:\.\w+)+)"/g)].map(([, key]) => key);
  // What goes wrong anywhere is described by its code: those words are looked up when they are there.
  const beginnings = [...code.matchAll(/`([a-z_]+\.[\w.]*)\$\{/g)].map(([, beginning]) => beginning).filter((one) => one !== "error.");
  return all.filter((key) => whole.includes(key) || beginnings.some((one) => key.startsWith(one)));
}
