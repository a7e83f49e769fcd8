import assert from "node:assert/strict";
import { test } from "node:test";
import { lines } from "../views/admin/json_lines.js";
import { readExport } from "../views/settings/export_reader.js";

/** An answer that comes in these pieces. @param {(string | Uint8Array)[]} pieces */
function answer(pieces) {
  const encoder = new TextEncoder();
  return new Response(
    new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece);
        controller.close();
      },
    }),
  );
}

test("lines are read however they are cut, also inside a character", async () => {
  const bytes = new TextEncoder().encode('{"text":"你好"}\n{"type":"end"}');
  for (let at = 0; at <= bytes.length; at += 1) {
    const found = [];
    for await (const line of lines(answer([bytes.slice(0, at), bytes.slice(at)]))) found.push(line);
    assert.deepEqual(found, [{ text: "你好" }, { type: "end" }]);
  }
});

test("a line that is cut off is an error", async () => {
  await assert.rejects(async () => {
    for await (const _ of lines(answer(['{"type":"progress"}\n{"type":"fin']))) continue;
  });
});

test("an export is whole only with its last line", async () => {
  const never = new AbortController().signal;
  let told = [0, 0];
  const whole = ['{"type":"profile"}\n{"type":"e', 'nd"}\n'];
  const parts = await readExport(answer(whole), never, (...progress) => (told = progress));
  assert.equal(await new Blob(parts).text(), whole.join(""));
  assert.deepEqual(told, [2, whole.join("").length]);
  await assert.rejects(readExport(answer(['{"type":"profile"}\n']), never, () => {}), { code: "incomplete" });
  await assert.rejects(readExport(answer(['{"type":"message","text":"{\\"type\\":\\"end\\"}"}\n']), never, () => {}), { code: "incomplete" });
  await assert.rejects(readExport(answer([]), never, () => {}), { code: "incomplete" });
});

test("an export can be stopped", async () => {
  const stop = new AbortController();
  const reading = readExport(new Response(new ReadableStream()), stop.signal, () => {});
  stop.abort();
  await assert.rejects(reading, { name: "AbortError" });
});
