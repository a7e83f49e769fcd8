import { currentLanguage, t } from "../../i18n/index.js";
import { findEmoji, loadEmoji, recentEmoji, usedEmoji } from "../../ui/emoji.js";
import { Element } from "../../ui/element.js";
import { html, nothing } from "../../vendor/lit.js";

/** @typedef {import("../../ui/emoji.js").Emoji} Emoji */

const FOUND_MAX = 64;
/** One of each group, to stand for it; the groups of Unicode, without skin tones and hair. */
const SIGNS = ["😀", "👋", "🐻", "🍎", "🚗", "⚽", "💡", "🔣", "🏁"];

/**
 * Lets somebody choose an emoji.
 * @param {HTMLElement} anchor
 * @returns {Promise<string | undefined>} nothing if none was chosen
 */
export function openEmojiPicker(anchor) {
  document.querySelector(".emoji-popover")?.remove();
  return new Promise((resolve) => {
    const popover = document.createElement("div");
    popover.className = "emoji-popover";
    popover.popover = "auto";
    popover.setAttribute("role", "dialog");
    popover.setAttribute("aria-label", t("compose.emoji"));
    /** @type {string | undefined} */
    let chosen;
    popover.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
      popover.remove();
      resolve(chosen);
    });
    const picker = document.createElement("myim-emoji-picker");
    picker.addEventListener("chosen", (event) => {
      chosen = /** @type {CustomEvent<string>} */ (event).detail;
      usedEmoji(chosen);
      popover.hidePopover();
    });
    popover.append(picker);
    // Inside an open dialog, because everything outside of it is out of reach.
    (anchor.closest("dialog") ?? document.body).append(popover);
    popover.showPopover();
    place(popover, anchor);
  });
}

/** Above the button, or below it where there is no room. @param {HTMLElement} popover @param {HTMLElement} anchor */
function place(popover, anchor) {
  const gap = 8;
  const { width, height } = popover.getBoundingClientRect();
  const { left, right, top, bottom } = anchor.getBoundingClientRect();
  const rtl = getComputedStyle(anchor).direction === "rtl";
  const x = Math.min(Math.max(gap, rtl ? left : right - width), innerWidth - width - gap);
  const y = top - height - gap >= 0 ? top - height - gap : Math.min(bottom + gap, innerHeight - height - gap);
  popover.style.left = `${Math.max(0, x)}px`;
  popover.style.top = `${Math.max(0, y)}px`;
}

/** All emoji by group, those used last, and a search in the words of the language. */
class EmojiPicker extends Element {
  static properties = { groups: { state: true }, found: { state: true }, failed: { state: true } };

  constructor() {
    super();
    /** @type {Emoji[][]} */
    this.groups = [];
    /** @type {Emoji[] | null} */
    this.found = null;
    this.failed = false;
    this.recent = recentEmoji();
  }

  connectedCallback() {
    super.connectedCallback();
    loadEmoji(currentLanguage()).then(
      (groups) => (this.groups = groups),
      () => (this.failed = true),
    );
  }

  firstUpdated() {
    // A keyboard on the screen would cover what there is to choose.
    if (matchMedia("(pointer: fine)").matches) this.querySelector("input")?.focus();
  }

  /** @param {Event} event */
  #search = async (event) => {
    const query = /** @type {HTMLInputElement} */ (event.target).value.trim();
    const found = query ? await findEmoji(currentLanguage(), query, FOUND_MAX) : null;
    if (/** @type {HTMLInputElement} */ (event.target).value.trim() === query) this.found = found;
  };

  /** @param {string} emoji */
  #choose(emoji) {
    this.dispatchEvent(new CustomEvent("chosen", { detail: emoji }));
  }

  /** Arrow keys go from one emoji to the next. @param {KeyboardEvent} event */
  #key = (event) => {
    const buttons = /** @type {HTMLElement[]} */ ([...this.querySelectorAll(".emoji-button")]);
    const now = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (event.key === "Enter" && now < 0 && this.found?.[0]) {
      event.preventDefault();
      return this.#choose(this.found[0][0]);
    }
    const inField = document.activeElement instanceof HTMLInputElement;
    if (inField && event.key !== "ArrowDown") return;
    const next = target(buttons, now, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  /** @param {number} at */
  #jump(at) {
    this.querySelector(`#emoji-group-${at}`)?.scrollIntoView({ block: "start" });
  }

  render() {
    return html`<div class="emoji-picker" @keydown=${this.#key}>
      <input class="input" type="search" aria-label=${t("compose.emoji_search")} placeholder=${t("compose.emoji_search")} @input=${this.#search} />
      <div class="emoji-tabs" role="group" aria-label=${t("compose.emoji_groups")}>
        ${this.groups.map(
          (_, at) => html`<button type="button" class="emoji-tab" aria-label=${t(`compose.emoji_group.${at}`)} title=${t(`compose.emoji_group.${at}`)} @click=${() => this.#jump(at)}>
            ${SIGNS[at] ?? "·"}
          </button>`,
        )}
      </div>
      <div class="emoji-scroll">${this.failed ? html`<p class="empty">${t("error.network")}</p>` : this.#content()}</div>
    </div>`;
  }

  #content() {
    if (this.found) {
      return this.found.length ? this.#grid(this.found) : html`<p class="empty" role="status">${t("compose.emoji_none")}</p>`;
    }
    const recent = this.recent.map((sign) => this.groups.flat().find(([one]) => one === sign) ?? /** @type {Emoji} */ ([sign, sign, ""]));
    return html`
      ${recent.length ? this.#section("recent", t("compose.emoji_recent"), recent) : nothing}
      ${this.groups.map((group, at) => this.#section(String(at), t(`compose.emoji_group.${at}`), group))}
    `;
  }

  /** @param {string} id @param {string} title @param {Emoji[]} emoji */
  #section(id, title, emoji) {
    return html`<section class="emoji-section" id="emoji-group-${id}">
      <h3>${title}</h3>
      ${this.#grid(emoji)}
    </section>`;
  }

  /** @param {Emoji[]} emoji */
  #grid(emoji) {
    return html`<div class="emoji-grid">
      ${emoji.map(
        ([sign, name], at) => html`<button type="button" class="emoji-button" tabindex=${at === 0 ? 0 : -1} title=${name} aria-label=${name} @click=${() => this.#choose(sign)}>${sign}</button>`,
      )}
    </div>`;
  }
}

/** @param {HTMLElement[]} buttons @param {number} now @param {string} key @returns {HTMLElement | undefined} */
function target(buttons, now, key) {
  if (now < 0) return key === "ArrowDown" ? buttons[0] : undefined;
  const current = buttons[now];
  if (key === "ArrowRight") return buttons[now + 1];
  if (key === "ArrowLeft") return buttons[now - 1];
  if (!current || (key !== "ArrowDown" && key !== "ArrowUp")) return undefined;
  // The nearest one of the row above or below.
  const here = current.getBoundingClientRect();
  const step = key === "ArrowDown" ? 1 : -1;
  for (let at = now + step; at >= 0 && at < buttons.length; at += step) {
    const button = /** @type {HTMLElement} */ (buttons[at]);
    const { left, top } = button.getBoundingClientRect();
    const beyond = step > 0 ? top > here.top + 4 : top < here.top - 4;
    if (beyond && (step > 0 ? left >= here.left - 4 : left <= here.left + 4)) return button;
  }
  return undefined;
}

customElements.define("myim-emoji-picker", EmojiPicker);
