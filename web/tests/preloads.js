// What comes at once instead of one import after the other, computed from the sources. Run by itself
// it writes the lists: node web/tests/preloads.js
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const web = new URL("..", import.meta.url);
const PAGE = new URL("index.html", web);
const LISTS = new URL("views/preloads.js", web);

/** @param {string} path from the folder of the page */
export const source = (path) => readFileSync(new URL(path, web), "utf8");

/**
 * A module and everything that it imports, without what is only imported when somebody needs it.
 * @param {string} path from the folder of the page
 * @param {Set<string>} [without] what is there already
 * @returns {string[]} in the order of their names
 */
export function closure(path, without = new Set()) {
  const found = new Set();
  const follow = (/** @type {string} */ at) => {
    if (found.has(at) || without.has(at)) return;
    found.add(at);
    for (const [, imported] of source(at).matchAll(/^(?:import|export)\b[^;"'()]*"(\.[^"]+)";/gm)) {
      follow(new URL(imported, new URL(at, web)).href.slice(web.href.length));
    }
  };
  follow(path);
  return [...found].sort();
}

/** What each list is to have in it. */
export function wanted() {
  const first = closure("main.js");
  const signedIn = closure("views/signed_in.js", new Set(first));
  const conversation = closure("views/chats/conversation.js", new Set([...first, ...signedIn]));
  return { first: first.filter((path) => path !== "main.js"), signedIn, conversation };
}

/** The page with these modules preloaded. @param {string[]} modules */
export function pageWith(modules) {
  const page = readFileSync(PAGE, "utf8").replace(/ *<link rel="modulepreload"[^>]*>\n/g, "");
  const links = modules.map((path) => `    <link rel="modulepreload" href="{{base}}/${path}" />\n`).join("");
  return page.replace(/ *<script type="module"/, (script) => links + script);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { first, signedIn, conversation } = wanted();
  writeFileSync(PAGE, pageWith(first));
  const list = (/** @type {string[]} */ paths) => `[\n${paths.map((path) => `  "${path}",\n`).join("")}]`;
  const head = source("views/preloads.js").split("export")[0];
  writeFileSync(LISTS, `${head}export const SIGNED_IN = ${list(signedIn)};\nexport const CONVERSATION = ${list(conversation)};\n`);
}
