import { t } from "../../i18n/index.js";
import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";

/** What can be done with keys, by where. Texts are `settings.keys.NAME`. */
const KEYS = [
  { name: "send", keys: ["Enter"] },
  { name: "line", keys: ["Shift", "Enter"] },
  { name: "close", keys: ["Esc"] },
  { name: "move", keys: ["↑", "↓"] },
  { name: "next", keys: ["Tab"] },
];

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
    const keys = KEYS.filter(({ name }) => preferences.enterSends || (name !== "send" && name !== "line"));
    return html`
      <section class="card" aria-labelledby="about-server">
        <h3 id="about-server">${t("settings.about.server")}</h3>
        <dl class="facts">
          <dt>${t("settings.about.name")}</dt>
          <dd dir="auto">${server?.name ?? "—"}</dd>
          <dt>${t("settings.about.address")}</dt>
          <dd>${location.host}</dd>
          <dt>${t("settings.about.version")}</dt>
          <dd>myim ${server?.version ?? "—"}</dd>
        </dl>
      </section>
      <section class="card" aria-labelledby="about-keys">
        <h3 id="about-keys">${t("settings.keys")}</h3>
        <dl class="facts">
          ${keys.map(
            ({ name, keys }) => html`<dt>${keys.map((key, at) => html`${at ? " " : ""}<kbd>${key}</kbd>`)}</dt>
              <dd>${t(`settings.keys.${name}`)}</dd>`,
          )}
        </dl>
      </section>
      <section class="card" aria-labelledby="about-libraries">
        <h3 id="about-libraries">${t("settings.about.libraries")}</h3>
        <p class="field-hint">${t("settings.about.libraries_hint")}</p>
        <dl class="facts">
          ${LIBRARIES.map(({ name, license, owner }) => html`<dt>${name}</dt><dd>${license} © ${owner}</dd>`)}
        </dl>
      </section>
    `;
  }
}

customElements.define("myim-about-settings", AboutSettings);
