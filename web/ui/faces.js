/**
 * The numbered faces of the existing clients, as emoji. Those clients name the first 46; what their
 * pictures beyond that show is not written down anywhere.
 */
const FACES = [
  "😁", "😜", "😓", "🤭", "👋", "🔨", "😅", "🪖", "🥺", "😢",
  "😭", "🤫", "😎", "😫", "🥹", "💩", "😒", "🔪", "😊", "😍",
  "☺️", "😏", "🤮", "🙂", "😡", "😳", "😱", "😰", "😼", "💋",
  "🙄", "😤", "😤", "😮", "🤔", "😪", "😘", "😄", "😲", "😵‍💫",
  "😕", "😈", "💪", "💕", "🤗", "👍",
];

/** What stands for a face that nobody knows the meaning of. */
const UNKNOWN = "🙂";

/** @param {number} id @returns {string} an emoji */
export function face(id) {
  return FACES[id] ?? UNKNOWN;
}

/** The numbers of the faces of which it is known what they show. */
export const KNOWN_FACES = [...FACES.keys()];

/** Whether it is known what the face of this number shows. @param {number} id */
export function isKnownFace(id) {
  return FACES[id] !== undefined;
}
