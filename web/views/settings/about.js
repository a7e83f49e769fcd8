import { t } from "../../i18n/index.js";
import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";

const CONTROL = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";

/**
 * What can be done with keys, by where. Texts are `settings.keys.NAME`.
 * @param {boolean} enterSends
 */
function keysOf(enterSends) {
  return {
    everywhere: { switch: [CONTROL, "K"], close: ["Esc"], move: ["↑", "↓"] },
    writing: {
      send: enterSends ? ["Enter"] : [CONTROL, "Enter"],
      line: enterSends ? ["Shift", "Enter"] : ["Enter"],
      edit_last: ["↑"],
      mention: ["@"],
      emoji: [":"],
    },
    message: { menu: ["Enter"], reply: ["R"], forward: ["F"], edit: ["E"] },
  };
}

/** Libraries that the client is built on, with the licenses under which they may be passed on. */
const LIBRARIES = [
  { name: "Lit", license: "BSD-3-Clause", owner: "Google LLC" },
  { name: "Lucide", license: "ISC", owner: "Lucide Contributors" },
  { name: "linkifyjs", license: "MIT", owner: "Nick Frasser" },
  { name: "ThumbHash", license: "MIT", owner: "Evan Wallace" },
  { name: "tus-js-client", license: "MIT", owner: "tus contributors" },
  { name: "Emojibase", license: "MIT", owner: "Miles Johnson" },
];

/** What this is, what keys it knows, and whose work is in it. */
export class AboutSettings extends Element {
  select = (/** @type {import("../../types.js").State} */ { server, preferences }) => ({ server, preferences });

  render() {
    const { server, preferences } = this.seen;
    return html`
      <section class="card" aria-labelledby="about-server">
        <h2 id="about-server">${t("settings.about.server")}</h2>
        <dl class="facts">
          <dt>${t("settings.about.name")}</dt>
          <dd dir="auto">${server?.name ?? "—"}</dd>
          <dt>${t("settings.about.address")}</dt>
          <dd>${location.host}</dd>
          <dt>${t("settings.about.version")}</dt>
          <dd>myim ${server?.version ?? "—"}</dd>
          <dt>${t("settings.about.developers")}</dt>
          <dd><a href="/api/docs" target="_blank" rel="noopener">${t("settings.about.api")}</a></dd>
        </dl>
      </section>
      <section class="card" aria-labelledby="about-keys">
        <h2 id="about-keys">${t("settings.keys")}</h2>
        ${Object.entries(keysOf(preferences.enterSends)).map(
          ([place, keys]) => html`<h3>${t(`settings.keys.in.${place}`)}</h3>
            <dl class="facts">
              ${Object.entries(keys).map(
                ([name, pressed]) => html`<dt>${pressed.map((key) => html`<kbd>${key}</kbd> `)}</dt>
                  <dd>${t(`settings.keys.${name}`)}</dd>`,
              )}
            </dl>`,
        )}
      </section>
      <section class="card" aria-labelledby="about-libraries">
        <h2 id="about-libraries">${t("settings.about.libraries")}</h2>
        <p class="field-hint">${t("settings.about.libraries_hint")}</p>
        <dl class="facts">
          ${LIBRARIES.map(({ name, license, owner }) => html`<dt>${name}</dt><dd>${license} © ${owner}</dd>`)}
        </dl>
      </section>
    `;
  }
}

customElements.define("myim-about-settings", AboutSettings);
