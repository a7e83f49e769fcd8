import { t } from "../../i18n/index.js";
import { Element } from "../../ui/element.js";
import { voiceName } from "../../ui/file_kind.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html } from "../../vendor/lit.js";
import { clock } from "./voice_player.js";

/** What is longer is a file for who wants to send it. */
const SECONDS_MAX = 600;
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];

/**
 * Records in the place of the field, from the moment it is shown. Says `recorded` with the file, or
 * with nothing if it was given up.
 */
class VoiceRecorder extends Element {
  static properties = { seconds: { state: true }, ready: { state: true } };

  /** @type {MediaRecorder | null} */ #recorder = null;
  /** @type {Blob[]} */ #pieces = [];
  #began = 0;
  #over = false;

  constructor() {
    super();
    this.seconds = 0;
    this.ready = false;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.#begin();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#release();
  }

  async #begin() {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      if (this.#over || !this.isConnected) return stream.getTracks().forEach((track) => track.stop());
      const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
      const recorder = new MediaRecorder(stream, mimeType ? { mimeType } : {});
      recorder.ondataavailable = ({ data }) => this.#pieces.push(data);
      recorder.start(1000);
      this.#recorder = recorder;
      this.#began = performance.now();
      this.ready = true;
      const timer = setInterval(() => this.#tick(), 250);
      this.lifetime.signal.addEventListener("abort", () => clearInterval(timer));
      await this.updateComplete;
      /** @type {HTMLElement | null} */ (this.querySelector(".accent"))?.focus();
    } catch {
      toast(t("compose.no_microphone"), "error");
      this.#end(null);
    }
  }

  #tick() {
    this.seconds = (performance.now() - this.#began) / 1000;
    if (this.seconds >= SECONDS_MAX) this.#send();
  }

  #send = () => {
    const recorder = this.#recorder;
    if (!recorder || this.#over) return;
    const seconds = (performance.now() - this.#began) / 1000;
    recorder.onstop = () => {
      const type = recorder.mimeType || "audio/webm";
      this.#end(new File(this.#pieces, voiceName(new Date(), seconds, type), { type }));
    };
    recorder.stop();
  };

  /** @param {File | null} file */
  #end(file) {
    if (this.#over) return;
    this.#over = true;
    this.#release();
    this.dispatchEvent(new CustomEvent("recorded", { detail: file && { file } }));
  }

  #release() {
    const recorder = this.#recorder;
    this.#recorder = null;
    if (recorder && recorder.state !== "inactive") recorder.stop();
    for (const track of recorder?.stream.getTracks() ?? []) track.stop();
  }

  render() {
    return html`<div
      class="composer-row recorder"
      role="group"
      aria-label=${t("compose.recording")}
      @keydown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Escape") this.#end(null);
      }}
    >
      <button type="button" class="icon-button" aria-label=${t("compose.recording_cancel")} title=${t("compose.recording_cancel")} @click=${() => this.#end(null)}>
        ${icon("trash-2")}
      </button>
      <span class="recorder-state"><span class="recorder-dot"></span>${this.ready ? t("compose.recording") : t("compose.microphone")}</span>
      <span class="recorder-time" role="timer">${clock(this.seconds)}</span>
      <button type="button" class="icon-button accent" aria-label=${t("compose.send")} title=${t("compose.send")} ?disabled=${!this.ready} @click=${this.#send}>
        ${icon("send")}
      </button>
    </div>`;
  }
}

customElements.define("myim-voice-recorder", VoiceRecorder);
