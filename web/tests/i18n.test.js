// Texts of both languages go together, and every key in the code has a text. Run: node --test web/tests
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("..", import.meta.url);
const en = await texts("en");
const zh = await texts("zh");

/** All texts of a language. @param {string} language */
async function texts(language) {
  const folder = new URL(`i18n/${language}/`, root);
  const files = await Promise.all(readdirSync(folder).map((name) => import(new URL(name, folder).href)));
  return Object.assign({}, ...files.flatMap((file) => Object.values(file)));
}

/** Our own modules. @param {URL} folder @returns {URL[]} */
function modules(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (["vendor", "tests", "i18n"].includes(entry.name)) return [];
    const url = new URL(entry.name + (entry.isDirectory() ? "/" : ""), folder);
    if (entry.isDirectory()) return modules(url);
    return entry.name.endsWith(".js") ? [url] : [];
  });
}

/** @param {import("../i18n/index.js").Text} text */
function placeholders(text) {
  const forms = typeof text === "string" ? [text] : Object.values(text);
  return [...new Set(forms.flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();
}

/** Keys as they stand in the code, and beginnings of those that are put together. */
function used() {
  /** @type {Map<string, string>} */
  const keys = new Map();
  /** @type {Map<string, string>} */
  const beginnings = new Map();
  for (const url of [...modules(root), new URL("i18n/index.js", root)]) {
    const where = url.pathname.slice(root.pathname.length);
    const code = readFileSync(url, "utf8");
    for (const [, inside] of code.matchAll(/\bt\(((?:[^()]|\([^()]*\))*)\)/g)) {
      // The key is the first argument; a choice between keys has several.
      const first = inside.split(/,\s*\{/)[0];
      for (const [, key] of first.matchAll(/(?<![=!]==? )"([a-z_]+(?:\.[\w.]+)+)"/g)) keys.set(key, where);
      for (const [, beginning] of first.matchAll(/`([a-z_]+\.[\w.]*)\$\{/g)) beginnings.set(beginning, where);
    }
  }
  return { keys, beginnings };
}

test("both languages have the same keys", () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
});

test("both languages have the same placeholders", () => {
  for (const [key, text] of Object.entries(en)) {
    const ours = placeholders(text).filter((name) => name !== "{count}");
    const theirs = placeholders(zh[key] ?? "").filter((name) => name !== "{count}");
    assert.deepEqual(theirs, ours, key);
  }
});

test("texts that count have the forms of their language", () => {
  for (const [texts, language] of [[en, "en"], [zh, "zh"]]) {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    for (const [key, text] of Object.entries(texts)) {
      if (typeof text !== "object") continue;
      assert.ok("other" in text, key);
      for (const form of Object.keys(text)) assert.ok(pluralCategories.includes(form), `${form} of ${key} in ${language}`);
    }
  }
});

test("every key in the code has a text", () => {
  const { keys, beginnings } = used();
  assert.ok(keys.size > 100);
  for (const [key, where] of keys) assert.ok(key in en, `${key} in ${where}`);
  const all = Object.keys(en);
  for (const [beginning, where] of beginnings) {
    assert.ok(all.some((key) => key.startsWith(beginning)), `${beginning}… in ${where}`);
  }
});

test("every error of the API has words of our own", () => {
  const table = readFileSync(new URL("../docs/protocol/api.md", root), "utf8");
  const codes = [...table.matchAll(/^\| \d{3} \| `(\w+)` \|/gm)].map(([, code]) => code);
  assert.ok(codes.length > 50);
  for (const code of codes) assert.ok(`error.${code}` in en, code);
});
