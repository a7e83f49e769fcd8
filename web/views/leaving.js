import { t } from "../i18n/index.js";
import { guardRoute } from "../state/router.js";
import { confirm } from "../ui/dialog.js";

/**
 * Asks before somebody leaves a page with what was typed and not saved: on the way to another page of
 * ours with a window, on the way out with the browser's own.
 * @param {() => boolean} unsaved
 * @param {AbortSignal} signal ends it
 * @param {"leave.text" | "leave.running"} [why]
 */
export function guardLeaving(unsaved, signal, why = "leave.text") {
  const end = guardRoute(async () => {
    if (!unsaved()) return true;
    return confirm({ title: t(why === "leave.text" ? "leave.title" : "leave.running_title"), text: t(why), action: t("leave.leave"), danger: true });
  });
  signal.addEventListener("abort", end);
  addEventListener("beforeunload", (event) => { if (unsaved()) event.preventDefault(); }, { signal });
}
