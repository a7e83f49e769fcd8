import { currentLanguage, t } from "../../i18n/index.js";
import { findEmoji, loadEmoji, recentEmoji, usedEmoji } from "../../ui/emoji.js";
import { Element } from "../../ui/element.js";
import { KNOWN_FACES, face } from "../../ui/faces.js";
import { html, nothing } from "../../vendor/lit.js";

/** @typedef {import("../../ui/emoji.js").Emoji} Emoji */

const FOUND_MAX = 64;
/** One of each group, to stand for it; the groups of Unicode, without skin tones and hair. */
const SIGNS = ["😀", "👋", "🐻", "🍎", "🚗", "⚽", "💡", "🔣", "🏁"];
/** Stands for the faces of the existing clients. */
const FACES_SIGN = "😎";

/**
 * What was chosen: an emoji, or a face of the existing clients, which is written as one here and shown
 * there as their own picture.
 * @typedef {{sign: string, face?: number}} Chosen
 */

/**
 * Lets somebody choose an emoji.
 * @param {HTMLElement} anchor
 * @param {{faces?: boolean}} [options] `faces`: those of the existing clients can be chosen too
 * @returns {Promise<Chosen | undefined>} nothing if none was chosen
 */
export function openEmojiPicker(anchor, { faces = false } = {}) {
  document.querySelector(".emoji-popover")?.remove();
  return new Promise((resolve) => {
    const popover = document.createElement("div");
    popover.className = "emoji-popover";
    popover.popover = "auto";
    popover.setAttribute("role", "dialog");
    popover.setAttribute("aria-label", t("compose.emoji"));
    /** @type {Chosen | undefined} */
    let chosen;
    popover.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
      popover.remove();
      resolve(chosen);
    });
    const picker = /** @type {EmojiPicker} */ (document.createElement("myim-emoji-picker"));
    picker.faces = faces;
    picker.addEventListener("chosen", (event) => {
      chosen = /** @type {CustomEvent<Chosen>} */ (event).detail;
      if (chosen.face === undefined) usedEmoji(chosen.sign);
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

/** All emoji by group, those used last, faces, and a search in the words of the language. */
class EmojiPicker extends Element {
  static properties = { groups: { state: true }, found: { state: true }, failed: { state: true } };

  constructor() {
    super();
    /** @type {Emoji[][]} */
    this.groups = [];
    /** @type {Emoji[] | null} */
    this.found = null;
    this.failed = false;
    this.faces = false;
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

  /** @param {string} sign @param {number} [number] of a face */
  #choose(sign, number) {
    this.dispatchEvent(new CustomEvent("chosen", { detail: number === undefined ? { sign } : { sign, face: number } }));
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

  /** @param {string} id */
  #jump(id) {
    this.querySelector(`#emoji-group-${id}`)?.scrollIntoView({ block: "start" });
  }

  render() {
    return html`<div class="emoji-picker" @keydown=${this.#key}>
      <input class="input" type="search" aria-label=${t("compose.emoji_search")} placeholder=${t("compose.emoji_search")} @input=${this.#search} />
      <div class="emoji-tabs" role="group" aria-label=${t("compose.emoji_groups")}>
        ${this.groups.map((_, at) => this.#tab(String(at), SIGNS[at] ?? "·"))} ${this.faces && this.groups.length ? this.#tab("faces", FACES_SIGN) : nothing}
      </div>
      <div class="emoji-scroll">${this.failed ? html`<p class="empty">${t("error.network")}</p>` : this.#content()}</div>
    </div>`;
  }

  /** @param {string} id @param {string} sign */
  #tab(id, sign) {
    const label = t(`compose.emoji_group.${id}`);
    return html`<button type="button" class="emoji-tab" aria-label=${label} title=${label} @click=${() => this.#jump(id)}>${sign}</button>`;
  }

  #content() {
    if (this.found) {
      return this.found.length ? this.#grid(this.found) : html`<p class="empty" role="status">${t("compose.emoji_none")}</p>`;
    }
    const recent = this.recent.map((sign) => this.#named(sign));
    return html`
      ${recent.length ? this.#section("recent", t("compose.emoji_recent"), recent) : nothing}
      ${this.groups.map((group, at) => this.#section(String(at), t(`compose.emoji_group.${at}`), group))}
      ${this.faces && this.groups.length
        ? this.#section("faces", t("compose.emoji_group.faces"), KNOWN_FACES.map((number) => this.#named(face(number))), (at) => KNOWN_FACES[at])
        : nothing}
    `;
  }

  /** An emoji with its name. @param {string} sign @returns {Emoji} */
  #named(sign) {
    return this.groups.flat().find(([one]) => one === sign) ?? [sign, sign, ""];
  }

  /** @param {string} id @param {string} title @param {Emoji[]} emoji @param {(at: number) => number | undefined} [numberOf] of faces */
  #section(id, title, emoji, numberOf) {
    return html`<section class="emoji-section" id="emoji-group-${id}">
      <h3>${title}</h3>
      ${this.#grid(emoji, numberOf)}
    </section>`;
  }

  /** @param {Emoji[]} emoji @param {(at: number) => number | undefined} [numberOf] */
  #grid(emoji, numberOf) {
    return html`<div class="emoji-grid">
      ${emoji.map(
        ([sign, name], at) => html`<button type="button" class="emoji-button" tabindex=${at === 0 ? 0 : -1} title=${name} aria-label=${name} @click=${() => this.#choose(sign, numberOf?.(at))}>${sign}</button>`,
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
