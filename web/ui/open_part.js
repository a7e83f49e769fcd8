/** @import { LazyPart } from "./lazy.js" */
import { t } from "../i18n/index.js";
import { confirm } from "./dialog.js";

/**
 * A part that somebody asked for just now. If it does not come, that is told with a way to load the page anew.
 * @template M
 * @param {LazyPart<M>} part
 * @returns {Promise<M | null>}
 */
export async function openPart(part) {
  try {
    return await part.load();
  } catch {
    const reloads = await confirm({ title: t("app.not_loaded_title"), text: t("app.not_loaded"), action: t("action.reload") });
    if (reloads) location.reload();
    return null;
  }
}
