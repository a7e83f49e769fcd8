import { Problem } from "../net/problem.js";

/**
 * Texts by key, in the chosen language. A text may have `{name}` in it, and may be `{one, other}`, of
 * which `count` decides by the language's own rules.
 * @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>>} Text
 */

/**
 * A file of texts, `i18n/LANGUAGE/PART.js`. Those of the first page are loaded at once, the others with
 * what shows them.
 * @typedef {"admin" | "auth" | "chat" | "common" | "compose" | "errors" | "lists" | "people" | "settings"} Part
 */

/** Texts that were loaded, by language. @type {Record<string, Record<string, Text>>} */
const known = { en: {}, zh: {} };
let language = "en";
let texts = known.en;
/** The language that is being loaded, or was. */
let coming = language;
/** What is shown by now, or is about to be. @type {Set<Part>} */
const parts = new Set(/** @type {Part[]} */ (["auth", "common", "errors"]));
/** @type {Intl.PluralRules} */
let plurals = new Intl.PluralRules("en");
/** Formats by what they are made of: making one takes longer than using it a hundred times. @type {Map<string, any>} */
const formats = new Map();
/** @type {Set<() => void>} */
const listeners = new Set();

/**
 * @template F
 * @param {new (language: string, options: any) => F} Format
 * @param {object} options
 * @returns {F}
 */
function format(Format, options) {
  const key = `${language} ${Format.name} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Format(language, options));
  return formats.get(key);
}

/** What the language is, as in `<html lang>`. */
export function currentLanguage() {
  return language;
}

/**
 * Loads a language and tells whoever shows text.
 * @param {"system" | "en" | "zh"} wanted
 */
export async function useLanguage(wanted) {
  const system = navigator.languages.some((one) => /^(zh|en)/i.test(one))
    ? /** @type {string} */ (navigator.languages.find((one) => /^(zh|en)/i.test(one))).slice(0, 2).toLowerCase()
    : "en";
  const chosen = wanted === "system" ? system : wanted;
  coming = chosen;
  try {
    await load([...parts]);
  } catch (error) {
    // The texts that are shown go on to be loaded.
    if (coming === chosen) coming = language;
    throw error;
  }
  if (coming !== chosen) return;
  language = chosen;
  texts = known[chosen];
  plurals = new Intl.PluralRules(chosen);
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
  for (const listener of listeners) listener();
}

/** Loads texts for what is about to be shown. @param {Part[]} wanted */
export async function loadTexts(wanted) {
  for (const part of wanted) parts.add(part);
  await load(wanted);
}

/** @param {Part[]} wanted */
async function load(wanted) {
  const into = coming;
  await Promise.all(wanted.map(async (part) => Object.assign(known[into], (await import(`./${into}/${part}.js`))[part])));
}

/** @param {() => void} listener */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * @param {string} key
 * @param {Record<string, string | number>} [args]
 * @returns {string}
 */
export function t(key, args = {}) {
  let text = texts[key];
  // A test finds keys that are missing; a user sees what can be guessed from.
  if (text === undefined) return key;
  if (typeof text === "object") {
    const count = Number(args.count ?? 0);
    text = text[plurals.select(count)] ?? text.other ?? key;
  }
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = args[name];
    return typeof value === "number" ? formatNumber(value) : String(value ?? "");
  });
}

/**
 * What went wrong, for a person: our own words for codes that are known, the server's otherwise.
 * @param {unknown} error
 */
export function describe(error) {
  const { code, detail, retryAfter } = Problem.of(error);
  return describeCode(code, detail, retryAfter);
}

/** @param {string} code @param {string} [detail] @param {number} [retryAfter] seconds */
export function describeCode(code, detail = "", retryAfter = 0) {
  const known = texts[`error.${code}`];
  const said = known === undefined ? detail || code : t(`error.${code}`);
  return retryAfter > 1 ? `${said} ${t("error.retry_in", { count: Math.ceil(retryAfter) })}` : said;
}

/** @param {number} number */
export function formatNumber(number) {
  return format(Intl.NumberFormat, {}).format(number);
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const maximumFractionDigits = unit > 0 && size < 10 ? 1 : 0;
  return format(Intl.NumberFormat, {
    style: "unit",
    unit: units[unit],
    unitDisplay: unit === 0 ? "long" : "short",
    maximumFractionDigits,
  }).format(size);
}

/** @param {string | number | Date} time the time of day, as 14:05 @returns {string} */
export function formatTime(time) {
  return format(Intl.DateTimeFormat, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(time));
}

/** @param {string | number | Date} time the whole of it, for a tooltip @returns {string} */
export function formatFull(time) {
  return format(Intl.DateTimeFormat, { dateStyle: "full", timeStyle: "medium" }).format(new Date(time));
}

/** @param {string | number | Date} time day and time, in a line with other things @returns {string} */
export function formatWhen(time) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" }).format(new Date(time));
}

/** @param {string | number | Date} time @returns {string} the day, with "today" and "yesterday" */
export function formatDay(time) {
  const days = daysAgo(time);
  if (days === 0 || days === 1) return capital(format(Intl.RelativeTimeFormat, { numeric: "auto" }).format(-days, "day"));
  const thisYear = new Date(time).getFullYear() === new Date().getFullYear();
  return format(Intl.DateTimeFormat, {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: thisYear ? undefined : "numeric",
  }).format(new Date(time));
}

/** @param {string | number | Date} time as short as it can be, for a list @returns {string} */
export function formatShort(time) {
  const days = daysAgo(time);
  if (days <= 0) return formatTime(time);
  if (days < 7) return format(Intl.DateTimeFormat, { weekday: "short" }).format(new Date(time));
  const thisYear = new Date(time).getFullYear() === new Date().getFullYear();
  return format(Intl.DateTimeFormat, {
    day: "numeric",
    month: "short",
    year: thisYear ? undefined : "2-digit",
  }).format(new Date(time));
}

/** @param {string | number | Date} time "5 minutes ago" @returns {string} */
export function formatAgo(time) {
  const seconds = Math.round((new Date(time).getTime() - Date.now()) / 1000);
  const ago = format(Intl.RelativeTimeFormat, { numeric: "auto" });
  if (Math.abs(seconds) < 60) return ago.format(0, "minute");
  if (Math.abs(seconds) < 3600) return ago.format(Math.trunc(seconds / 60), "minute");
  if (Math.abs(seconds) < 86_400) return ago.format(Math.trunc(seconds / 3600), "hour");
  return ago.format(Math.trunc(seconds / 86_400), "day");
}

/** @param {string | number | Date} time */
function daysAgo(time) {
  const midnight = (/** @type {Date} */ day) => new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
  return Math.round((midnight(new Date()) - midnight(new Date(time))) / 86_400_000);
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toLocaleUpperCase(language) + text.slice(1);
}
