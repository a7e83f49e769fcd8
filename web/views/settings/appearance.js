import { currentLanguage, formatTime, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";
import { choices } from "./choices.js";

/** Names of languages stand in the language itself: who cannot read this page finds his own. */
const LANGUAGES = { en: "English", zh: "简体中文" };

/** How this browser shows the client. Everything counts at once. */
export class AppearanceSettings extends Element {
  select = (/** @type {import("../../types.js").State} */ { preferences }) => ({ preferences });

  render() {
    const { theme, language, textSize, enterSends } = this.seen.preferences;
    return html`
      ${choices({
        name: "theme",
        label: t("settings.theme"),
        value: theme,
        options: ["system", "light", "dark"].map((value) => ({ value, label: t(`settings.theme.${value}`) })),
        change: (value) => app.prefer({ theme: /** @type {any} */ (value) }),
      })}
      ${choices({
        name: "language",
        label: t("settings.language"),
        value: language,
        options: [
          { value: "system", label: t("settings.language.system") },
          ...Object.entries(LANGUAGES).map(([value, label]) => ({ value, label, lang: value === "zh" ? "zh-Hans" : value })),
        ],
        change: (value) => app.prefer({ language: /** @type {any} */ (value) }),
      })}
      ${choices({
        name: "textSize",
        label: t("settings.text_size"),
        value: textSize,
        options: ["small", "normal", "large"].map((value) => ({ value, label: t(`settings.text_size.${value}`) })),
        change: (value) => app.prefer({ textSize: /** @type {any} */ (value) }),
      })}
      <figure class="card preview" lang=${currentLanguage()}>
        <figcaption class="field-label">${t("settings.preview")}</figcaption>
        <p class="preview-bubble">${t("settings.preview.theirs")}<span class="preview-time">${formatTime(new Date(2026, 0, 5, 9, 41))}</span></p>
        <p class="preview-bubble own">${t("settings.preview.own")}<span class="preview-time">${formatTime(new Date(2026, 0, 5, 9, 42))}</span></p>
      </figure>
      ${choices({
        name: "enterSends",
        label: t("settings.enter"),
        value: enterSends ? "send" : "line",
        options: ["send", "line"].map((value) => ({ value, label: t(`settings.enter.${value}`), hint: t(`settings.enter.${value}_hint`) })),
        change: (value) => app.prefer({ enterSends: value === "send" }),
      })}
    `;
  }
}

customElements.define("myim-appearance-settings", AppearanceSettings);
