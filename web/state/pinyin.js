/** The first character of each letter, as Chinese is sorted by its sound. */
const FIRSTS = "阿八嚓哒妸发旮哈讥咔垃妈拏噢妑七呥仨他穵夕丫帀";
const LETTERS = "abcdefghjklmnopqrstwxyz";

const collator = new Intl.Collator("zh-Hans-u-co-pinyin");
/** @type {Map<string, string>} */
const known = new Map();

/**
 * The letters that the syllables of the Chinese characters of a text begin with: `zs` for 张三.
 * The browser knows them, because it can sort by them.
 * @param {string} text
 */
export function initials(text) {
  let letters = "";
  for (const char of text.match(/\p{Script=Han}/gu) ?? []) {
    let letter = known.get(char);
    if (letter === undefined) known.set(char, (letter = letterOf(char)));
    letters += letter;
  }
  return letters;
}

/** @param {string} char */
function letterOf(char) {
  let at = -1;
  while (at + 1 < FIRSTS.length && collator.compare(FIRSTS[at + 1] ?? "", char) <= 0) at += 1;
  return LETTERS[at] ?? "";
}
