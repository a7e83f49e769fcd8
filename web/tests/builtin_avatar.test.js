import assert from "node:assert/strict";
import test from "node:test";
import { SIDE, builtinPath } from "../ui/builtin_avatar.js";

const NUMBERS = Array.from({ length: 64 }, (_, at) => at + 1);

test("each built-in avatar has a drawing of its own", () => {
  assert.equal(new Set(NUMBERS.map(builtinPath)).size, NUMBERS.length);
  assert.equal(builtinPath(7), builtinPath(7));
});

test("left and right are alike, and something is there", () => {
  for (const number of NUMBERS) {
    const cells = [...builtinPath(number).matchAll(/M(\d) (\d)h1v1h-1z/g)].map(([, x, y]) => [Number(x), Number(y)]);
    assert(cells.length > 0);
    for (const [x, y] of cells) assert(cells.some(([other, line]) => other === SIDE - 1 - x && line === y), `${number}: ${x} ${y}`);
  }
});
