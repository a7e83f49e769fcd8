import { formatTime, t } from "../../i18n/index.js";
import { html, nothing, svg } from "../../vendor/lit.js";

/** The drawing's own measure; it is stretched to the room that there is. */
const WIDTH = 600;
const HEIGHT = 120;
/** Rows of the table beside a chart. */
const ROWS_MAX = 30;

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {(number | null)[]} values one for each time; null where it is not known
 */

/**
 * How numbers went, as lines and as a table.
 * @param {object} chart
 * @param {string} chart.id
 * @param {string} chart.title
 * @param {number[]} chart.times milliseconds since 1970
 * @param {Series[]} chart.series at most four
 * @param {(value: number) => string} chart.format
 */
export function chart({ id, title, times, series, format }) {
  const known = series.flatMap(({ values }) => values.filter((value) => value !== null));
  const top = roof(Math.max(0, ...known));
  const latest = series.map(({ values }) => values.findLast((value) => value !== null) ?? null);
  return html`<figure class="card chart" aria-labelledby="${id}-title">
    <figcaption class="chart-head">
      <h2 id="${id}-title">${title}</h2>
      <ul class="chart-legend">
        ${series.map(
          ({ label }, at) => html`<li data-series=${at}>${series.length > 1 ? html`<span>${label}</span>` : nothing}<strong>${latest[at] === null ? "—" : format(latest[at])}</strong></li>`,
        )}
      </ul>
    </figcaption>
    ${known.length > 1
      ? html`<div class="chart-area">
          <span class="chart-top" aria-hidden="true">${format(top)}</span>
          <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-labelledby="${id}-name ${id}-told">
            <title id="${id}-name">${title}</title>
            <desc id="${id}-told">${told(series, format)}</desc>
            ${[0, 0.5, 1].map((part) => svg`<line class="chart-grid" x1="0" x2=${WIDTH} y1=${part * HEIGHT} y2=${part * HEIGHT} />`)}
            ${series.map(({ values }, at) => svg`<path class="chart-line" data-series=${at} d=${path(times, values, top)} />`)}
          </svg>
          <span class="chart-times" aria-hidden="true"><span>${formatTime(times[0])}</span><span>${formatTime(times.at(-1) ?? 0)}</span></span>
        </div>`
      : html`<p class="chart-wait muted">${t("admin.chart.wait")}</p>`}
    ${table(title, times, series, format)}
  </figure>`;
}

/** The same for who does not see it, or wants to know exactly. @param {string} title @param {number[]} times @param {Series[]} series @param {(value: number) => string} format */
function table(title, times, series, format) {
  const from = Math.max(0, times.length - ROWS_MAX);
  const rows = times.slice(from).map((time, at) => ({ time, at: from + at })).reverse();
  return html`<details class="chart-table">
    <summary>${t("admin.chart.table")}</summary>
    <div class="table-box" tabindex="0" role="region" aria-label=${title}>
      <table>
        <caption class="hidden-text">${title}</caption>
        <thead>
          <tr><th scope="col">${t("admin.chart.time")}</th>${series.map(({ label }) => html`<th scope="col">${label}</th>`)}</tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ time, at }) => html`<tr>
              <th scope="row">${clock(time)}</th>
              ${series.map(({ values }) => html`<td>${values[at] === null ? "—" : format(/** @type {number} */ (values[at]))}</td>`)}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
}

/** @param {Series[]} series @param {(value: number) => string} format */
function told(series, format) {
  return series
    .map(({ label, values }) => {
      const known = /** @type {number[]} */ (values.filter((value) => value !== null));
      if (known.length === 0) return `${label}: —`;
      return t("admin.chart.told", { label, now: format(known[known.length - 1]), least: format(Math.min(...known)), most: format(Math.max(...known)) });
    })
    .join(" ");
}

/** @param {number[]} times @param {(number | null)[]} values @param {number} top */
function path(times, values, top) {
  const begin = times[0];
  const span = Math.max(1, (times.at(-1) ?? begin) - begin);
  let drawn = "";
  let broken = true;
  values.forEach((value, at) => {
    if (value === null) {
      broken = true;
      return;
    }
    const x = ((times[at] - begin) / span) * WIDTH;
    const y = HEIGHT - (value / top) * HEIGHT;
    drawn += `${broken ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    broken = false;
  });
  return drawn;
}

/** A round number that is not below. @param {number} value */
function roof(value) {
  if (value <= 0) return 1;
  const step = 10 ** Math.floor(Math.log10(value));
  return /** @type {number} */ ([1, 2, 5, 10].map((times) => times * step).find((round) => round >= value));
}

/** @param {number} time */
function clock(time) {
  return new Date(time).toLocaleTimeString(document.documentElement.lang, { hourCycle: "h23" });
}
