/** @import { Segment } from "../../types.js" */
/** @import { Mark } from "../../state/marked_text.js" */
import { formatBytes, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { isPicture } from "../../state/uploads.js";
import { openDialog } from "../../ui/dialog.js";
import { Element } from "../../ui/element.js";
import { fileIcon } from "../../ui/file_kind.js";
import { icon } from "../../ui/icon.js";
import { html, nothing, repeat } from "../../vendor/lit.js";
import { WrittenText } from "./written_text.js";

/** A message has at most so many parts; a caption with mentions needs some of them. */
const FILES_MAX = 50;

/** @typedef {{files: File[], caption: Segment[], asFiles: boolean}} Chosen */

/**
 * Shows what is about to be sent, and asks what is to be said of it.
 * @param {File[]} files
 * @param {{text: string, marks: Mark[]}} written what stood in the field
 * @param {Record<string, number>} limits
 * @returns {Promise<Chosen | undefined>}
 */
export function openAttachDialog(files, written, limits) {
  return openDialog({
    title: t("compose.attach_title"),
    content: (/** @type {(result?: Chosen) => void} */ close) =>
      html`<myim-attach .files=${files} .written=${written} .limits=${limits} @chosen=${(/** @type {CustomEvent<Chosen | undefined>} */ event) => close(event.detail)}></myim-attach>`,
  });
}

/** The files that are about to be sent, with what is said of them. */
class Attach extends Element {
  static properties = { files: { attribute: false }, asFiles: { state: true } };

  /** @type {Map<File, string>} */ #previews = new Map();
  #caption = new WrittenText(() => /** @type {HTMLTextAreaElement | null} */ (this.querySelector("textarea")));

  constructor() {
    super();
    /** @type {File[]} */
    this.files = [];
    /** @type {{text: string, marks: Mark[]}} */
    this.written = { text: "", marks: [] };
    /** @type {Record<string, number>} */
    this.limits = {};
    this.asFiles = false;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    for (const url of this.#previews.values()) URL.revokeObjectURL(url);
    this.#previews.clear();
  }

  firstUpdated() {
    this.#caption.set(this.written);
    const field = this.querySelector("textarea");
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  }

  /** @param {File} file */
  #tooLarge(file) {
    return file.size > (this.limits.file_bytes_max ?? Infinity);
  }

  /** @param {File} file */
  #preview(file) {
    const known = this.#previews.get(file);
    if (known) return known;
    const url = URL.createObjectURL(file);
    this.#previews.set(file, url);
    return url;
  }

  #send() {
    const files = this.files.filter((file) => !this.#tooLarge(file)).slice(0, FILES_MAX);
    if (files.length === 0) return;
    this.dispatchEvent(new CustomEvent("chosen", { detail: { files, caption: this.#caption.segments(), asFiles: this.asFiles } }));
  }

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    if (event.isComposing || event.keyCode === 229 || event.key !== "Enter") return;
    const sends = app.store.state.preferences.enterSends ? !event.shiftKey : event.ctrlKey || event.metaKey;
    if (!sends) return;
    event.preventDefault();
    this.#send();
  };

  /** @param {ClipboardEvent} event */
  #paste = (event) => {
    const more = [...(event.clipboardData?.files ?? [])];
    if (more.length === 0) return;
    event.preventDefault();
    this.files = [...this.files, ...more];
  };

  render() {
    const sendable = this.files.filter((file) => !this.#tooLarge(file)).length;
    const pictures = this.files.some((file) => isPicture(file, this.limits));
    return html`<form
      class="attach"
      @submit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        this.#send();
      }}
      @paste=${this.#paste}
    >
      <ul class="attach-list" aria-label=${t("compose.files")}>
        ${repeat(this.files, (file) => file, (file) => this.#row(file))}
      </ul>
      ${sendable > FILES_MAX ? html`<p class="note warn">${t("compose.too_many", { count: FILES_MAX })}</p>` : nothing}
      ${pictures
        ? html`<label class="check">
            <input type="checkbox" .checked=${this.asFiles} @change=${(/** @type {any} */ event) => (this.asFiles = event.target.checked)} />
            ${t("compose.as_files")}
          </label>`
        : nothing}
      <label class="field">
        <span class="field-label">${t("compose.caption")}</span>
        <textarea class="input attach-caption" rows="1" dir="auto" @input=${() => this.#caption.read()} @keydown=${this.#key}></textarea>
      </label>
      <footer class="dialog-foot">
        <button type="button" class="button" @click=${() => this.dispatchEvent(new CustomEvent("chosen"))}>${t("action.cancel")}</button>
        <button class="button primary" ?disabled=${sendable === 0}>${icon("send")}${t("compose.send")}</button>
      </footer>
    </form>`;
  }

  /** @param {File} file */
  #row(file) {
    const picture = !this.asFiles && isPicture(file, this.limits);
    return html`<li class="attach-row">
      ${picture
        ? html`<img class="attach-preview" src=${this.#preview(file)} alt="" />`
        : html`<span class="attach-preview">${icon(fileIcon(file.name, file.type))}</span>`}
      <span class="attach-name">
        <bdi class="ellipsis">${file.name}</bdi>
        <span class="muted">${formatBytes(file.size)}</span>
        ${this.#tooLarge(file)
          ? html`<span class="field-error" role="alert">${t("compose.file_too_large", { size: formatBytes(this.limits.file_bytes_max ?? 0) })}</span>`
          : nothing}
      </span>
      <button
        type="button"
        class="icon-button"
        aria-label=${t("compose.leave_out", { name: file.name })}
        @click=${() => (this.files = this.files.filter((one) => one !== file))}
      >
        ${icon("x")}
      </button>
    </li>`;
  }
}

customElements.define("myim-attach", Attach);
