/** @import { Segment } from "../../types.js" */
import { formatNumber, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { Element } from "../../ui/element.js";
import { voiceOf } from "../../ui/file_kind.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { playableUrl } from "./download.js";

/** The one that plays; another one that begins ends it. @type {HTMLAudioElement | null} */
let playing = null;

/** A voice message: a button, how far it is, and how long it is. */
class Voice extends Element {
  static properties = { segment: { attribute: false }, url: { state: true }, runs: { state: true }, at: { state: true }, problem: { state: true } };

  constructor() {
    super();
    /** @type {Extract<Segment, {type: "file"}> | undefined} */
    this.segment = undefined;
    this.url = "";
    this.runs = false;
    this.at = 0;
    /** @type {string | null} */
    this.problem = null;
  }

  get #audio() {
    return /** @type {HTMLAudioElement | null} */ (this.querySelector("audio"));
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#audio?.pause();
  }

  /** Browsers do not know how long their own recordings are; the name says it. */
  get #seconds() {
    const told = voiceOf(this.segment?.name ?? "")?.seconds ?? 0;
    const known = this.#audio?.duration ?? 0;
    return Number.isFinite(known) && known > 0 ? known : told;
  }

  #toggle = async () => {
    if (this.runs) return this.#audio?.pause();
    const { at, url } = this;
    try {
      // An address is good for an hour only. The one that is still good is known.
      if (this.segment) this.url = await playableUrl(this.segment);
      await this.updateComplete;
      const audio = this.#audio;
      if (audio && this.url !== url) audio.currentTime = at;
      if (playing !== audio) playing?.pause();
      playing = audio;
      await audio?.play();
    } catch (error) {
      this.problem = Problem.of(error).code;
    }
  };

  #broke = () => {
    this.runs = false;
    this.problem = "network";
  };

  #again = () => {
    this.problem = null;
    this.url = "";
    void this.#toggle();
  };

  /** @param {Event} event */
  #seek = (event) => {
    const audio = this.#audio;
    if (audio) audio.currentTime = Number(/** @type {HTMLInputElement} */ (event.target).value);
  };

  render() {
    const { segment } = this;
    if (!segment) return nothing;
    if (this.problem) {
      const gone = this.problem === "file_gone";
      return html`<p class="voice">
        ${icon("mic")}<span class="muted">${t(gone ? "compose.file_gone" : "compose.voice_failed")}</span>
        ${gone
          ? nothing
          : html`<button type="button" class="icon-button" aria-label=${t("action.retry")} title=${t("action.retry")} @click=${this.#again}>${icon("rotate-cw")}</button>`}
      </p>`;
    }
    const seconds = this.#seconds;
    return html`<div class="voice" role="group" aria-label=${t("compose.voice")}>
      <button type="button" class="icon-button accent" aria-label=${t(this.runs ? "compose.pause" : "compose.play")} @click=${this.#toggle}>
        ${icon(this.runs ? "pause" : "play")}
      </button>
      <input
        type="range"
        min="0"
        max=${Math.max(1, seconds)}
        step="0.1"
        .value=${String(this.at)}
        aria-label=${t("compose.position")}
        aria-valuetext=${t("compose.seconds", { count: Math.round(this.at) })}
        ?disabled=${!this.url}
        @input=${this.#seek}
      />
      <span class="voice-time">${clock(this.runs || this.at > 0 ? this.at : seconds)}</span>
      ${this.url
        ? html`<audio
            src=${this.url}
            preload="metadata"
            @play=${() => (this.runs = true)}
            @pause=${() => (this.runs = false)}
            @ended=${() => (this.at = 0)}
            @timeupdate=${() => (this.at = this.#audio?.currentTime ?? 0)}
            @error=${this.#broke}
          ></audio>`
        : nothing}
    </div>`;
  }
}

/** @param {number} seconds as 1:05 */
export function clock(seconds) {
  const whole = Math.round(seconds);
  return `${formatNumber(Math.floor(whole / 60))}:${String(whole % 60).padStart(2, "0")}`;
}

customElements.define("myim-voice", Voice);
