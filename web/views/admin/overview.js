import { formatBytes, formatNumber, formatWhen, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { href } from "../../state/router.js";
import { activityOf } from "./activity.js";
import { admin } from "./admin_api.js";
import { chart } from "./chart.js";
import { failed, loading } from "./loading.js";
import { tile } from "./storage.js";

const REFRESH_MS = 10_000;
/** Ways in which clients are connected, as the server calls them. */
const WAYS = ["flamingo", "websocket", "event_stream", "sync", "webhook"];

/** How much there is on the server, and how busy it is. */
export class AdminOverview extends Element {
  static properties = { stats: { state: true }, failure: { state: true }, at: { state: true } };

  /** Null if the server keeps no record of it. @type {import("./activity.js").Activity | null} */
  activity = null;
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
      const [stats, activity] = await Promise.all([admin().get("/stats", undefined), loadActivity()]);
      this.activity = activity;
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
        ${this.activity
          ? tile(
              t("admin.overview.errors"),
              this.activity.sum(({ errors }) => errors),
              html`<a href=${href("admin", "errors")}>${t("admin.overview.warnings", { count: this.activity.sum(({ warnings }) => warnings) })}</a>`,
            )
          : nothing}
      </div>
      ${this.activity ? charts(this.activity) : html`<p class="note" role="status">${icon("info")}<span>${t("admin.overview.no_activity")}</span></p>`}
      <section class="card" aria-labelledby="overview-server">
        <h2 id="overview-server">${t("admin.overview.server")}</h2>
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
}

async function loadActivity() {
  try {
    return activityOf(await admin().get("/activity", undefined));
  } catch (error) {
    if (Problem.of(error).status === 404) return null;
    throw error;
  }
}

/** @param {import("./activity.js").Activity} activity */
function charts({ times, read, rate }) {
  const tenth = (/** @type {number} */ value) => Math.round(value * 10) / 10;
  const perSecond = (/** @type {number} */ value) => t("admin.unit.per_s", { count: tenth(value) });
  const ms = (/** @type {number} */ value) => t("admin.unit.ms", { count: tenth(value) });
  const bytes = (/** @type {number} */ value) => t("admin.unit.each_s", { size: formatBytes(Math.round(value)) });
  return html`<div class="charts">
    ${chart({
      id: "chart-messages",
      title: t("admin.chart.messages"),
      times,
      series: [
        { label: t("admin.chart.saved"), values: rate(({ messages }) => messages) },
        { label: t("admin.chart.delivered"), values: rate(({ deliveries }) => deliveries) },
      ],
      format: perSecond,
    })}
    ${chart({
      id: "chart-commit",
      title: t("admin.chart.commit"),
      times,
      series: [
        { label: t("admin.chart.p50"), values: read(({ commit_p50_ms }) => commit_p50_ms) },
        { label: t("admin.chart.p99"), values: read(({ commit_p99_ms }) => commit_p99_ms) },
      ],
      format: ms,
    })}
    ${chart({
      id: "chart-connections",
      title: t("admin.chart.connections"),
      times,
      series: [
        { label: "WebSocket", values: read(({ connections }) => connections.websocket) },
        { label: "HTTP", values: read(({ connections }) => connections.http) },
        { label: "Flamingo", values: read(({ connections }) => connections.flamingo) },
        { label: t("admin.chart.transfer"), values: read(({ connections }) => connections.transfer) },
      ],
      format: formatNumber,
    })}
    ${chart({
      id: "chart-queues",
      title: t("admin.chart.queues"),
      times,
      series: [
        { label: t("admin.chart.queue_log"), values: read(({ queues }) => queues.log) },
        { label: t("admin.chart.queue_index"), values: read(({ queues }) => queues.index) },
        { label: t("admin.chart.queue_webhooks"), values: read(({ queues }) => queues.webhooks_retrying) },
      ],
      format: formatNumber,
    })}
    ${chart({
      id: "chart-files",
      title: t("admin.chart.files"),
      times,
      series: [
        { label: t("admin.chart.uploads"), values: rate(({ upload_bytes }) => upload_bytes) },
        { label: t("admin.chart.downloads"), values: rate(({ download_bytes }) => download_bytes) },
      ],
      format: bytes,
    })}
    ${chart({
      id: "chart-online",
      title: t("admin.overview.online"),
      times,
      series: [{ label: t("admin.overview.users"), values: read(({ users_online }) => users_online) }],
      format: formatNumber,
    })}
  </div>`;
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
