import { formatTime, formatWhen, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { playChime } from "../../ui/chime.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { toggle } from "./choices.js";

const HOUR_MS = 3_600_000;
/** When a day is told to begin for who wants no disturbance until then. */
const MORNING = 8;

/** How this browser calls for attention. */
export class NotificationSettings extends Element {
  static properties = { permission: { state: true } };

  select = (/** @type {import("../../types.js").State} */ { preferences }) => ({ preferences });

  constructor() {
    super();
    this.permission = permissionNow();
  }

  connectedCallback() {
    super.connectedCallback();
    // It is changed in the browser's own settings too.
    navigator.permissions?.query({ name: "notifications" }).then(
      (status) => status.addEventListener("change", () => (this.permission = permissionNow()), { signal: this.lifetime.signal }),
      () => {},
    );
  }

  render() {
    const { notifications, sound, quietUntil } = this.seen.preferences;
    const granted = this.permission === "granted";
    return html`
      <section class="card form" aria-labelledby="notify-title">
        <h2 id="notify-title">${t("settings.notify.title")}</h2>
        ${toggle({
          label: t("settings.notify.show"),
          hint: t("settings.notify.show_hint"),
          checked: notifications && granted,
          disabled: this.permission === "denied" || this.permission === "insecure" || this.permission === "missing",
          change: (wanted) => this.#show(wanted),
        })}
        <div role="status">${this.#explain()}</div>
        ${toggle({ label: t("settings.notify.sound"), hint: t("settings.notify.sound_hint"), checked: sound, change: sounds })}
        <div class="buttons">
          <button class="button" ?disabled=${!granted || !notifications} @click=${test}>${icon("bell")}${t("settings.notify.test")}</button>
        </div>
      </section>
      ${this.#quiet(quietUntil)}
    `;
  }

  #explain() {
    if (this.permission === "granted") return nothing;
    const kind = this.permission === "default" ? "" : "warn";
    return html`<p class="note ${kind}">${icon(kind ? "triangle-alert" : "info")}<span>${t(`settings.notify.permission.${this.permission}`)}</span></p>`;
  }

  /** @param {number} until */
  #quiet(until) {
    const quiet = until > Date.now();
    return html`<section class="card form" aria-labelledby="quiet-title">
      <h2 id="quiet-title">${t("settings.quiet.title")}</h2>
      <p class="field-hint">${t("settings.quiet.hint")}</p>
      <p role="status" class=${quiet ? "note" : "hidden-text"}>
        ${quiet ? html`${icon("bell-off")}<span>${t("settings.quiet.until", { time: isToday(until) ? formatTime(until) : formatWhen(until) })}</span>` : t("settings.quiet.off_now")}
      </p>
      <div class="buttons">
        <button class="button" @click=${() => this.#hush(Date.now() + HOUR_MS)}>${t("settings.quiet.hour")}</button>
        <button class="button" @click=${() => this.#hush(tomorrow())}>${t("settings.quiet.tomorrow")}</button>
        ${quiet ? html`<button class="button primary" @click=${() => this.#hush(0)}>${t("settings.quiet.off")}</button>` : nothing}
      </div>
    </section>`;
  }

  /** @param {number} quietUntil */
  #hush(quietUntil) {
    app.prefer({ quietUntil });
  }

  /** @param {boolean} wanted */
  async #show(wanted) {
    if (wanted && this.permission === "default") {
      await Notification.requestPermission();
      this.permission = permissionNow();
    }
    app.prefer({ notifications: wanted && this.permission === "granted" });
    this.requestUpdate();
  }
}

/** @returns {"granted" | "denied" | "default" | "insecure" | "missing"} */
function permissionNow() {
  if (!isSecureContext) return "insecure";
  return "Notification" in globalThis ? Notification.permission : "missing";
}

/** @param {number} time */
function isToday(time) {
  return new Date(time).toDateString() === new Date().toDateString();
}

function tomorrow() {
  const day = new Date();
  day.setDate(day.getDate() + 1);
  return day.setHours(MORNING, 0, 0, 0);
}

/** Who turns it on hears what it is. @param {boolean} sound */
function sounds(sound) {
  app.prefer({ sound });
  if (sound) playChime();
}

/** Phones show notifications of a service worker only. */
async function test() {
  const options = { body: t("settings.notify.test_body"), tag: "myim-test" };
  const worker = await navigator.serviceWorker?.getRegistration();
  if (worker?.active) await worker.showNotification(t("settings.notify.test_title"), options);
  else new Notification(t("settings.notify.test_title"), options);
}

customElements.define("myim-notification-settings", NotificationSettings);
