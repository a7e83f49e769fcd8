import { Problem } from "../../net/problem.js";

/** The last line of an export that is whole. */
const END = '{"type":"end"';
/** More than the last line has. */
const TAIL = 200;

/**
 * Reads an export to its end. It comes in pieces and may be large: what came is kept as it is, and
 * only its lines are counted and its end looked at.
 * @param {Response} response
 * @param {AbortSignal} signal
 * @param {(lines: number, bytes: number) => void} progress
 * @returns {Promise<Uint8Array<ArrayBuffer>[]>}
 */
export async function readExport(response, signal, progress) {
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body).getReader();
  const stop = () => void reader.cancel();
  signal.addEventListener("abort", stop);
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  let lines = 0;
  let bytes = 0;
  let tail = "";
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) break;
      parts.push(value);
      bytes += value.length;
      for (const byte of value) if (byte === 10) lines += 1;
      tail = (tail + decoder.decode(value, { stream: true })).slice(-TAIL);
      progress(lines, bytes);
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
  const last = tail.trimEnd().split("\n").at(-1) ?? "";
  if (!last.replaceAll(" ", "").startsWith(END)) throw new Problem("incomplete", "The export broke off.");
  return parts;
}
