import { Problem } from "../../net/problem.js";
import { admin } from "./states.js";

/**
 * @typedef {object} Point what the server did around a time; null where it is not known
 * @property {number} time milliseconds since 1970
 * @property {number | null} messages a second
 * @property {number | null} commitP50 milliseconds
 * @property {number | null} commitP99 milliseconds
 * @property {number | null} connections
 * @property {number | null} queue changes that wait to be saved
 */

/** How many points are kept that this page measured itself. */
const KEPT_MAX = 360;

/**
 * How busy the server was. Servers that keep no such record are watched while the page is open: then
 * the lines begin with it.
 */
export class Activity {
  /** @type {Point[]} */ points = [];
  /** The server keeps the record. */
  kept = true;
  /** @type {{time: number, messages: number} | null} */ #before = null;

  /** @param {any} stats as `GET /admin/stats` answered just now */
  async refresh(stats) {
    if (this.kept) {
      try {
        this.points = read(await admin().get("/activity", undefined));
        return;
      } catch (error) {
        if (Problem.of(error).status !== 404) throw error;
        this.kept = false;
      }
    }
    this.#measure(stats);
  }

  /** @param {any} stats */
  #measure(stats) {
    const time = Date.now();
    const before = this.#before;
    this.#before = { time, messages: stats.messages };
    const messages = before ? Math.max(0, ((stats.messages - before.messages) * 1000) / (time - before.time)) : null;
    const connections = /** @type {number[]} */ (Object.values(stats.online.connections)).reduce((sum, count) => sum + count, 0);
    this.points = [...this.points, { time, messages, commitP50: null, commitP99: null, connections, queue: stats.queues.log }].slice(-KEPT_MAX);
  }
}

/** @param {any} answer @returns {Point[]} */
function read(answer) {
  return answer.items.map((/** @type {any} */ item) => ({
    time: Date.parse(item.time),
    messages: item.messages_per_s ?? null,
    commitP50: item.commit_p50_ms ?? null,
    commitP99: item.commit_p99_ms ?? null,
    connections: item.connections ?? null,
    queue: item.queue ?? null,
  }));
}
