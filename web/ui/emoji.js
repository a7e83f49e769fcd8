/** An emoji, its name, and other words by which it is found. @typedef {[string, string, string]} Emoji */

/** @type {Map<string, Promise<Emoji[][]>>} */
const loaded = new Map();
const RECENT = "myim.emoji";
const RECENT_MAX = 24;

/**
 * All emoji in their groups, with the words of a language. They are loaded when somebody needs them.
 * @param {string} language
 * @returns {Promise<Emoji[][]>}
 */
export function loadEmoji(language) {
  const known = loaded.get(language);
  if (known) return known;
  const loading = fetch(new URL(`../vendor/emoji.${language}.json`, import.meta.url)).then((response) => {
    if (!response.ok) throw new Error(response.statusText);
    return response.json();
  });
  loaded.set(language, loading);
  loading.catch(() => loaded.delete(language));
  return loading;
}

/**
 * Emoji of which the words begin so, those first whose name does.
 * @param {string} language @param {string} query @param {number} most
 * @returns {Promise<Emoji[]>}
 */
export async function findEmoji(language, query, most) {
  const groups = await loadEmoji(language).catch(() => []);
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  /** @type {Emoji[]} */
  const first = [];
  /** @type {Emoji[]} */
  const others = [];
  for (const emoji of groups.flat()) {
    const [, name, words] = emoji;
    if (name.startsWith(query.toLowerCase())) first.push(emoji);
    else if (wanted.every((word) => begins(`${name} ${words}`, word))) others.push(emoji);
    if (first.length >= most) break;
  }
  return [...first, ...others].slice(0, most);
}

/** Whether one of the words begins so; Chinese has no space between words. @param {string} words @param {string} word */
function begins(words, word) {
  return /\p{Script=Han}/u.test(word) ? words.includes(word) : ` ${words}`.includes(` ${word}`);
}

/** Those used last in this browser, the newest first. @returns {string[]} */
export function recentEmoji() {
  try {
    const kept = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

/** @param {string} emoji */
export function usedEmoji(emoji) {
  const kept = [emoji, ...recentEmoji().filter((one) => one !== emoji)].slice(0, RECENT_MAX);
  localStorage.setItem(RECENT, JSON.stringify(kept));
}
