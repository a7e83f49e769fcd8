/** @typedef {keyof typeof import("../vendor/icons.js").icons} IconName */

const ARCHIVES = /\.(zip|rar|7z|tar|gz|tgz|bz2|xz|zst|jar|apk)$/i;
const TEXTS = /\.(txt|md|pdf|docx?|odt|rtf|pptx?|odp|xlsx?|ods|csv|json|html?)$/i;

/**
 * The drawing that tells what kind of file it is.
 * @param {string} name
 * @param {string} mime
 * @returns {IconName}
 */
export function fileIcon(name, mime) {
  if (mime.startsWith("image/")) return "image";
  if (mime.startsWith("audio/")) return "file-audio";
  if (mime.startsWith("video/")) return "file-video";
  if (ARCHIVES.test(name)) return "file-archive";
  if (mime.startsWith("text/") || TEXTS.test(name)) return "file-text";
  return "file";
}

/** Recordings of this client: their name tells how long they are, which browsers do not write into them. */
const VOICE = /^voice-.*?(?:-(\d{1,4})s)?\.(webm|ogg|m4a|mp4)$/i;

/** @param {Date} at @param {number} seconds @param {string} mime */
export function voiceName(at, seconds, mime) {
  const day = at.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  const ending = mime.includes("ogg") ? "ogg" : mime.includes("mp4") ? "m4a" : "webm";
  return `voice-${day}-${Math.max(1, Math.round(seconds))}s.${ending}`;
}

/** @param {string} name @returns {{seconds: number} | null} null for what is no recording; 0 seconds are unknown */
export function voiceOf(name) {
  const found = VOICE.exec(name);
  return found ? { seconds: Number(found[1] ?? 0) } : null;
}
