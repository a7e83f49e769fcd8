import { formatBytes, formatNumber, formatWhen, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { Activity } from "./activity.js";
import { chart } from "./chart.js";
import { failed, admin, loading } from "./states.js";
import { tile } from "./storage.js";

const REFRESH_MS = 10_000;
/** Ways in which clients are connected, as the server calls them. */
const WAYS = ["flamingo", "websocket", "event_stream", "sync", "webhook"];

/** How much there is on the server, and how busy it is. */
export class AdminOverview extends Element {
  static properties = { stats: { state: true }, failure: { state: true }, at: { state: true } };

  activity = new Activity();
  /** Loading of ours that has not ended. */
  #running = false;

  constructor() {
    super();
    /** What `GET /admin/stats` answered. @type {any} */
    this.stats = null;
    /** @type {Problem | null} */
    this.failure = null;
    this.at = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    const { signal } = this.lifetime;
    const timer = setInterval(() => void this.#refresh(), REFRESH_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
    document.addEventListener("visibilitychange", () => void this.#refresh(), { signal });
    void this.#refresh();
  }

  /** Nobody is troubled for a page that nobody sees. */
  async #refresh() {
    if (this.#running || document.visibilityState !== "visible") return;
    // On a phone the list of sections may be in front.
    if (this.stats && !this.checkVisibility()) return;
    this.#running = true;
    try {
      const stats = await admin().get("/stats", undefined);
      await this.activity.refresh(stats);
      this.stats = stats;
      this.failure = null;
      this.at = Date.now();
    } catch (error) {
      this.failure = Problem.of(error);
    } finally {
      this.#running = false;
    }
  }

  render() {
    const { stats, failure } = this;
    if (!stats) return failure ? failed(failure, () => void this.#refresh()) : loading();
    return html`
      ${failure ? html`<p class="note warn" role="status">${icon("cloud-off")}${t("admin.overview.stale", { time: formatWhen(this.at) })}</p>` : nothing}
      <div class="tiles">
        ${tile(t("admin.overview.online"), stats.online.users, t("admin.overview.of_users", { count: stats.users - stats.bots }))}
        ${tile(t("admin.overview.users"), stats.users - stats.bots, t("admin.overview.bots", { count: stats.bots }))}
        ${tile(t("admin.overview.groups"), stats.groups, t("admin.overview.conversations", { count: stats.conversations }))}
        ${tile(t("admin.overview.messages"), stats.messages)}
        ${tile(t("admin.overview.sessions"), stats.sessions)}
        ${tile(t("admin.overview.storage"), formatBytes(stats.database_bytes + stats.file_cache.bytes), t("admin.overview.files", { count: stats.file_cache.files }))}
      </div>
      ${this.activity.kept ? nothing : html`<p class="field-hint">${t("admin.overview.measured")}</p>`} ${this.#charts()}
      <section class="card" aria-labelledby="overview-server">
        <h3 id="overview-server">${t("admin.overview.server")}</h3>
        <dl class="facts">
          <dt>${t("settings.about.version")}</dt>
          <dd>${stats.version}</dd>
          <dt>${t("admin.overview.uptime")}</dt>
          <dd>${duration(stats.uptime_s)}</dd>
          <dt>${t("admin.overview.queue")}</dt>
          <dd>${formatNumber(stats.queues.log)}</dd>
          ${WAYS.map((way) => html`<dt>${t(`admin.way.${way}`)}</dt><dd>${formatNumber(stats.online.connections[way] ?? 0)}</dd>`)}
        </dl>
      </section>
    `;
  }

  #charts() {
    const { points } = this.activity;
    const times = points.map(({ time }) => time);
    const values = (/** @type {Exclude<keyof import("./activity.js").Point, "time">} */ name) => points.map((point) => point[name]);
    const rate = (/** @type {number} */ value) => t("admin.unit.per_s", { count: Math.round(value * 10) / 10 });
    const ms = (/** @type {number} */ value) => t("admin.unit.ms", { count: Math.round(value * 10) / 10 });
    const withCommits = points.some(({ commitP50 }) => commitP50 !== null);
    return html`<div class="charts">
      ${chart({ id: "chart-messages", title: t("admin.chart.messages"), times, series: [{ label: t("admin.chart.messages"), values: values("messages") }], format: rate })}
      ${withCommits
        ? chart({
            id: "chart-commit",
            title: t("admin.chart.commit"),
            times,
            series: [
              { label: t("admin.chart.p50"), values: values("commitP50") },
              { label: t("admin.chart.p99"), values: values("commitP99") },
            ],
            format: ms,
          })
        : nothing}
      ${chart({ id: "chart-connections", title: t("admin.chart.connections"), times, series: [{ label: t("admin.chart.connections"), values: values("connections") }], format: formatNumber })}
      ${chart({ id: "chart-queue", title: t("admin.chart.queue"), times, series: [{ label: t("admin.chart.queue"), values: values("queue") }], format: formatNumber })}
    </div>`;
  }
}

/** @param {number} seconds */
function duration(seconds) {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days) return [t("admin.unit.days", { count: days }), t("admin.unit.hours", { count: hours })].join(" ");
  if (hours) return [t("admin.unit.hours", { count: hours }), t("admin.unit.minutes", { count: minutes })].join(" ");
  return t("admin.unit.minutes", { count: minutes });
}

customElements.define("myim-admin-overview", AdminOverview);
