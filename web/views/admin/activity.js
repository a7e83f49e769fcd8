/**
 * @typedef {object} Sample what the server says of a moment, as `GET /admin/activity` has it
 * @property {string} time
 * @property {number} users_online
 * @property {{flamingo: number, websocket: number, http: number, transfer: number}} connections
 * @property {number} messages since the sample before, as all that is counted
 * @property {number} deliveries
 * @property {number | null} commit_p50_ms
 * @property {number | null} commit_p99_ms
 * @property {{log: number, index: number, webhooks_retrying: number}} queues
 * @property {number} warnings
 * @property {number} errors
 * @property {number} upload_bytes
 * @property {number} download_bytes
 */

/** @typedef {{times: number[], read: (value: (sample: Sample) => number | null) => (number | null)[], rate: (value: (sample: Sample) => number) => (number | null)[], sum: (value: (sample: Sample) => number) => number}} Activity */

/**
 * The last hour, made ready for charts.
 * @param {{interval_s: number, items: Sample[]}} answer
 * @returns {Activity}
 */
export function activityOf({ interval_s, items }) {
  const times = items.map(({ time }) => Date.parse(time));
  // The computer may have slept between two samples.
  const seconds = times.map((time, at) => (at > 0 ? Math.max(1, (time - times[at - 1]) / 1000) : interval_s));
  return {
    times,
    read: (value) => items.map(value),
    // What the first one counts began with the program.
    rate: (value) => items.map((sample, at) => (at > 0 ? value(sample) / seconds[at] : null)),
    sum: (value) => items.reduce((sum, sample) => sum + value(sample), 0),
  };
}
