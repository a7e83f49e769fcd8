/** How many cells a side has. Left and right are alike, as in a face. */
export const SIDE = 5;
const HALF = Math.ceil(SIDE / 2);

/**
 * A drawing for one of the avatars that the existing clients bring along, of which only the number is
 * known here. The same number is the same drawing everywhere.
 * @param {number} number
 * @returns {string} the path of an SVG, in cells
 */
export function builtinPath(number) {
  let bits = scatter(number);
  let path = "";
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < HALF; x += 1) {
      // Never empty: the middle is always there.
      const isMiddle = x === HALF - 1 && y === HALF - 1;
      if (bits & 1 || isMiddle) path += cell(x, y) + (x === SIDE - 1 - x ? "" : cell(SIDE - 1 - x, y));
      bits >>>= 1;
    }
  }
  return path;
}

/** @param {number} x @param {number} y */
function cell(x, y) {
  return `M${x} ${y}h1v1h-1z`;
}

/** Neighbors among numbers become bits that have nothing in common. @param {number} number */
function scatter(number) {
  let bits = Math.imul(number ^ (number >>> 16), 0x45d9f3b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b);
  return (bits ^ (bits >>> 16)) >>> 0;
}
