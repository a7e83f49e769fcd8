// Writes the libraries of package.json as modules that a browser loads as they are.
//
// The results are kept in the repository, so that nobody needs Node to build the suite. Run it after
// changing a version: npm ci && npm run build. A test compares what is here with what it writes.
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const modules = {
  lit: `
    export { LitElement, html, svg, nothing, noChange, render } from "lit";
    export { Directive, directive } from "lit/directive.js";
    export { AsyncDirective } from "lit/async-directive.js";
    export { classMap } from "lit/directives/class-map.js";
    export { guard } from "lit/directives/guard.js";
    export { ifDefined } from "lit/directives/if-defined.js";
    export { keyed } from "lit/directives/keyed.js";
    export { live } from "lit/directives/live.js";
    export { createRef, ref } from "lit/directives/ref.js";
    export { repeat } from "lit/directives/repeat.js";
  `,
  linkify: `export { find } from "linkifyjs";`,
  thumbhash: `export { thumbHashToRGBA } from "thumbhash";`,
  tus: `export { Upload, DetailedError } from "tus-js-client";`,
};

// Lucide's names (https://lucide.dev/icons) of the icons that are used.
const icons = `
  activity archive arrow-down arrow-left at-sign ban bell bell-off bot camera check check-check
  chevron-down chevron-right circle-alert circle-user clock cloud-off copy corner-up-left corner-up-right crop
  crown download ellipsis-vertical eye eye-off file file-archive file-audio file-text file-video folder
  forward hash image info key-round languages layout-dashboard link list loader-circle lock log-out mail
  megaphone menu message-circle message-square-plus mic monitor moon package paperclip pause pencil phone pin
  pin-off play plus refresh-cw reply rotate-cw search send server settings shield smartphone smile square
  sun terminal trash-2 triangle-alert type undo-2 upload user user-check user-minus user-plus user-x users
  vibrate volume-2 volume-x wifi-off x zoom-in zoom-out
`.trim().split(/\s+/);

const target = process.argv[2] ?? ".";
for (const [name, contents] of Object.entries(modules)) {
  await build({
    stdin: { contents, resolveDir: "." },
    outfile: `${target}/${name}.js`,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "inline",
    logLevel: "error",
  });
}

// Emoji: what the picker shows and what one may type to find it. Skin tones are left out.
for (const language of ["en", "zh"]) {
  const all = JSON.parse(readFileSync(`node_modules/emojibase-data/${language}/compact.json`, "utf8"));
  const groups = [];
  for (const { group, order, unicode, label, tags } of all.sort((a, b) => a.order - b.order)) {
    // Group 2 holds skin tones and hair, which are no emoji of their own.
    if (group === undefined || group === 2 || order === undefined) continue;
    (groups[group] ??= []).push([unicode, label.toLowerCase(), (tags ?? []).join(" ").toLowerCase()]);
  }
  writeFileSync(`${target}/emoji.${language}.json`, JSON.stringify(groups.filter(Boolean)) + "\n");
}

const drawn = icons.map((name) => {
  const file = readFileSync(`node_modules/lucide-static/icons/${name}.svg`, "utf8");
  const inner = file.slice(file.indexOf(">", file.indexOf("<svg")) + 1, file.lastIndexOf("</svg>"));
  return `  "${name}": svg\`${inner.trim().replace(/\s*\n\s*/g, "")}\`,`;
});
writeFileSync(
  `${target}/icons.js`,
  `// Icons of Lucide (https://lucide.dev), ISC License, Copyright (c) Lucide Contributors.\nimport { svg } from "./lit.js";\n\nexport const icons = {\n${drawn.join("\n")}\n};\n`,
);
