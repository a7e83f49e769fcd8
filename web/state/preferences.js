/** @import { Preferences } from "../types.js" */

const KEY = "myim.preferences";

/** @type {Preferences} */
const DEFAULTS = {
  theme: "system",
  language: "system",
  textSize: "normal",
  notifications: false,
  sound: true,
  quietUntil: 0,
  enterSends: true,
};

/** How this browser is to look and sound, whoever is signed in. @returns {Preferences} */
export function loadPreferences() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

/** @param {Preferences} preferences */
export function savePreferences(preferences) {
  localStorage.setItem(KEY, JSON.stringify(preferences));
}
