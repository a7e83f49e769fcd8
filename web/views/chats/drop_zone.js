import { t } from "../../i18n/index.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html, render } from "../../vendor/lit.js";

/** Takes files that are dropped anywhere on an element, and shows while they are held over it. */
export class DropZone {
  /** @type {HTMLElement | null} */ #shown = null;
  /** The pointer enters a part before it leaves another. */ #depth = 0;

  /**
   * @param {HTMLElement} home
   * @param {AbortSignal} signal ends it
   * @param {() => boolean} open whether files are taken now
   * @param {(files: File[]) => void} take
   */
  constructor(home, signal, open, take) {
    this.home = home;
    const holds = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") === true && open();
    const on = (/** @type {string} */ name, /** @type {(event: any) => void} */ hear) => home.addEventListener(name, hear, { signal });
    on("dragenter", (event) => {
      if (!holds(event)) return;
      event.preventDefault();
      this.#depth += 1;
      this.#show();
    });
    on("dragover", (event) => {
      if (holds(event)) event.preventDefault();
    });
    on("dragleave", () => {
      this.#depth = Math.max(0, this.#depth - 1);
      if (this.#depth === 0) this.#hide();
    });
    on("drop", (event) => {
      this.#hide();
      if (!holds(event)) return;
      event.preventDefault();
      take(filesOf(event.dataTransfer));
    });
    signal.addEventListener("abort", () => this.#hide());
  }

  #show() {
    if (this.#shown) return;
    const shown = document.createElement("div");
    shown.className = "drop-overlay";
    render(html`${icon("upload")}<span>${t("compose.drop")}</span>`, shown);
    const { top, left, width, height } = this.home.getBoundingClientRect();
    for (const [name, value] of Object.entries({ top, left, width, height })) shown.style.setProperty(name, `${value}px`);
    document.body.append(shown);
    this.#shown = shown;
  }

  #hide() {
    this.#depth = 0;
    this.#shown?.remove();
    this.#shown = null;
  }
}

/** @param {DataTransfer} data */
function filesOf(data) {
  const items = [...data.items].filter(({ kind }) => kind === "file");
  const folders = items.filter((item) => item.webkitGetAsEntry()?.isDirectory).length;
  if (folders > 0) toast(t("compose.no_folders"), "error");
  return items.filter((item) => !item.webkitGetAsEntry()?.isDirectory).flatMap((item) => item.getAsFile() ?? []);
}
