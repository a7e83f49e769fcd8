/** @import { Segment } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { playableUrl } from "./download.js";
import "./file_card.js";

/** Sound or a film of a message: its card, and the browser's player once somebody wants to play it. */
class Media extends Element {
  static properties = { segment: { attribute: false }, url: { state: true }, failed: { state: true } };

  constructor() {
    super();
    /** @type {Extract<Segment, {type: "file"}> | undefined} */
    this.segment = undefined;
    this.url = "";
    this.failed = false;
  }

  #play = async () => {
    if (!this.segment) return;
    try {
      this.url = await playableUrl(this.segment);
      await this.updateComplete;
      const player = /** @type {HTMLMediaElement | null} */ (this.querySelector("audio, video"));
      player?.focus();
      await player?.play();
    } catch {
      this.failed = true;
    }
  };

  render() {
    const { segment } = this;
    if (!segment) return nothing;
    return html`<div class="media">
      ${this.failed ? nothing : this.#player(segment)}
      <myim-file-card .segment=${segment}></myim-file-card>
    </div>`;
  }

  /** @param {Extract<Segment, {type: "file"}>} segment */
  #player({ name, mime }) {
    const failed = () => (this.failed = true);
    if (this.url && mime.startsWith("video/")) {
      return html`<video class="media-player" controls playsinline aria-label=${name} src=${this.url} @error=${failed}></video>`;
    }
    if (this.url) return html`<audio class="media-player" controls aria-label=${name} src=${this.url} @error=${failed}></audio>`;
    return html`<button type="button" class="button media-play" @click=${this.#play}>
      ${icon("play")}${t(mime.startsWith("video/") ? "compose.play_video" : "compose.play_audio")}
    </button>`;
  }
}

customElements.define("myim-media", Media);
