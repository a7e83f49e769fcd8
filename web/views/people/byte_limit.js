import { t } from "../../i18n/index.js";

/**
 * For the `input` event of a field: says that a text is too long for the server, which counts bytes
 * of UTF-8.
 * @param {number} bytes
 */
export function limitBytes(bytes) {
  return (/** @type {Event} */ event) => {
    const field = /** @type {HTMLInputElement | HTMLTextAreaElement} */ (event.target);
    const { length } = new TextEncoder().encode(field.value.trim());
    field.setCustomValidity(length > bytes ? t("people.too_long") : "");
  };
}
