import { Problem } from "../../net/problem.js";

/**
 * Reads an answer that has one JSON object a line, while it comes.
 * @param {Response} response
 * @returns {AsyncGenerator<any>}
 */
export async function* lines(response) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const whole = rest.split("\n");
      rest = whole.pop() ?? "";
      for (const line of whole) if (line.trim()) yield parse(line);
      if (done) break;
    }
    if (rest.trim()) yield parse(rest);
  } finally {
    void reader.cancel().catch(() => {});
  }
}

/** @param {string} line */
function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    throw new Problem("network", "The answer was cut off.");
  }
}
