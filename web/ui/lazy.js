import { loadTexts, t } from "../i18n/index.js";
import { html } from "../vendor/lit.js";
import { icon } from "./icon.js";

/** @typedef {import("../i18n/index.js").Part} Part */

/** All style sheets in the order in which they count, whichever is loaded first. */
const SHEETS = ["tokens", "base", "shell", "auth", "lists", "chat", "message", "compose", "attachments", "people", "settings", "admin"];
const WEB = new URL("..", import.meta.url);

/**
 * A part of the page that is loaded when somebody needs it: its modules, styles and texts.
 * @template M
 */
export class LazyPart {
  /** What was loaded. @type {M | null} */ module = null;
  /** @type {Promise<M> | null} */ #loading = null;
  #failed = false;

  /**
   * @param {() => Promise<M>} bring imports its module
   * @param {{modules?: string[], styles?: string[], texts?: Part[]}} [more] `modules`: what that module
   *   consists of, so that it all comes at once
   */
  constructor(bring, { modules = [], styles = [], texts = [] } = {}) {
    this.bring = bring;
    this.modules = modules;
    this.styles = styles;
    this.texts = texts;
  }

  /** @returns {Promise<M>} */
  load() {
    this.#loading ??= this.#all().catch((error) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  /** Begins to load it, for later; who needs it then hears whether that failed. */
  warm() {
    this.load().catch(() => {});
  }

  /**
   * What is shown in its place as long as it is not there.
   * @param {{requestUpdate(): void}} host is drawn anew when it is
   */
  awaited(host) {
    if (this.#failed) return notLoaded();
    this.load()
      .catch(() => (this.#failed = true))
      .then(() => host.requestUpdate());
    return html`<div class="empty"><p role="status">${t("app.loading")}</p></div>`;
  }

  async #all() {
    for (const module of this.modules.splice(0)) preload(module);
    const [module] = await Promise.all([this.bring(), loadTexts(this.texts), ...this.styles.map(loadStyle)]);
    return (this.module = module);
  }
}

/** A browser does not load a module again that failed: the page has to. */
export function notLoaded() {
  return html`<div class="empty" role="alert">
    ${icon("cloud-off")}
    <p>${t("app.not_loaded")}</p>
    <button class="button" @click=${() => location.reload()}>${icon("rotate-cw")}${t("action.reload")}</button>
  </div>`;
}

/** Lets the browser load a module before another one imports it. @param {string} path from the folder of the page */
function preload(path) {
  const link = document.createElement("link");
  link.rel = "modulepreload";
  link.href = new URL(path, WEB).href;
  document.head.append(link);
}

/** @param {string} name @returns {Promise<void>} when it counts */
function loadStyle(name) {
  const links = /** @type {HTMLLinkElement[]} */ ([...document.head.querySelectorAll("link[rel=stylesheet]")]);
  const nameOf = (/** @type {HTMLLinkElement} */ { href }) => href.replace(/.*\/(.*)\.css$/, "$1");
  const there = links.find((link) => nameOf(link) === name);
  if (there) return there.sheet ? Promise.resolve() : over(there);
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(`styles/${name}.css`, WEB).href;
  const next = links.find((other) => SHEETS.indexOf(nameOf(other)) > SHEETS.indexOf(name));
  document.head.insertBefore(link, next ?? null);
  return over(link);
}

/** @param {HTMLLinkElement} link @returns {Promise<void>} */
function over(link) {
  return new Promise((resolve, reject) => {
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () => {
      // The next attempt makes another one.
      link.remove();
      reject(new Error(`${link.href} was not loaded`));
    });
  });
}
