/** @import { Segment } from "../../types.js" */
import { describe, formatBytes, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { Element } from "../../ui/element.js";
import { fileIcon } from "../../ui/file_kind.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html, nothing } from "../../vendor/lit.js";
import { download } from "./download.js";

/** A file of a message: what it is, and the button that saves it. */
class FileCard extends Element {
  static properties = { segment: { attribute: false }, gone: { state: true } };

  constructor() {
    super();
    /** @type {Extract<Segment, {type: "file"}> | undefined} */
    this.segment = undefined;
    this.gone = false;
  }

  #save = async () => {
    const { segment } = this;
    if (!segment) return;
    try {
      await download(segment.file, segment.name, "file");
    } catch (error) {
      if (Problem.of(error).code === "file_gone") this.gone = true;
      else toast(describe(error), "error");
    }
  };

  render() {
    const { segment } = this;
    if (!segment) return nothing;
    return html`<div class="file-card">
      <span class="file-icon">${icon(fileIcon(segment.name, segment.mime))}</span>
      <span class="file-name">
        <bdi class="file-title">${segment.name}</bdi>
        <span class="muted">${this.gone ? t("compose.file_gone") : formatBytes(segment.size)}</span>
      </span>
      ${this.gone
        ? nothing
        : html`<button type="button" class="icon-button" aria-label=${t("compose.download", { name: segment.name })} title=${t("compose.save")} @click=${this.#save}>
            ${icon("download")}
          </button>`}
    </div>`;
  }
}

customElements.define("myim-file-card", FileCard);
