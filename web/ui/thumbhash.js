import { thumbHashToRGBA } from "../vendor/thumbhash.js";

/** Those that were painted, by their hash. @type {Map<string, string>} */
const painted = new Map();
const PAINTED_MAX = 500;

/**
 * What is shown until a picture is there: some 25 bytes painted as a small blurred picture.
 * @param {string | undefined} hash in base64
 * @returns {string | null} a `data:` address; null for what is no ThumbHash
 */
export function thumbhashUrl(hash) {
  if (!hash) return null;
  const known = painted.get(hash);
  if (known !== undefined) return known || null;
  const url = paint(hash);
  if (painted.size >= PAINTED_MAX) painted.clear();
  painted.set(hash, url);
  return url || null;
}

/** @param {string} hash */
function paint(hash) {
  try {
    const bytes = Uint8Array.from(atob(hash), (letter) => letter.charCodeAt(0));
    const { w, h, rgba } = thumbHashToRGBA(bytes);
    const canvas = document.createElement("canvas");
    canvas.width = w;
    canvas.height = h;
    const pixels = new ImageData(new Uint8ClampedArray(rgba), w, h);
    canvas.getContext("2d")?.putImageData(pixels, 0, 0);
    return canvas.toDataURL();
  } catch {
    // The sender says what the hash is, and may say anything.
    return "";
  }
}
