import { t } from "../i18n/index.js";

/** @type {Record<string, keyof typeof import("../vendor/icons.js").icons>} */
const ICONS = { desktop: "monitor", android: "smartphone", ios: "smartphone", web: "monitor", cli: "terminal", bot: "bot" };

/** @param {string} kind of a device, as the API calls it */
export function deviceIcon(kind) {
  return ICONS[kind] ?? "monitor";
}

/** What a device is called: as its owner did, or by its kind. @param {string} kind @param {string} name */
export function deviceName(kind, name) {
  if (name) return name;
  return kind in ICONS ? t(`device.${kind}`) : kind;
}
