import { html } from "../vendor/lit.js";
import { find } from "../vendor/linkify.js";

/** What a link from data may begin with. */
const SCHEMES = new Set(["http:", "https:", "mailto:"]);
/** Characters that turn the direction of text around, with which an address can look like another. */
const DIRECTION_MARKS = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;
/** An address without a scheme is often the name of a file: only what is surely one is a link. */
const BARE = /^www\.|\/|\.(com|org|net|cn)$/i;

/**
 * The address of a link that came with data; null for what must not be one, as `javascript:`.
 * @param {string} address
 */
export function safeHref(address) {
  try {
    const url = new URL(address);
    return SCHEMES.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * A link to another site; the text alone where the address is not safe.
 * @param {string} address
 * @param {string} text
 */
export function link(address, text) {
  const href = safeHref(address);
  const shown = text.replace(DIRECTION_MARKS, "");
  return href === null ? shown : html`<a href=${href} target="_blank" rel="noopener noreferrer nofollow">${shown}</a>`;
}

/**
 * Text with links in the place of what reads like an address.
 * @param {string} text
 * @returns {unknown[]}
 */
export function linked(text) {
  // Most messages have none, and looking for them takes its time.
  if (!/[@.:]/.test(text)) return [text];
  const parts = [];
  let at = 0;
  for (const { type, value, href, start, end } of find(text)) {
    if (type === "url" && !/^[a-z]+:\/\//i.test(value) && !BARE.test(value)) continue;
    parts.push(text.slice(at, start), link(href, value));
    at = end;
  }
  parts.push(text.slice(at));
  return parts;
}
