import { t } from "../i18n/index.js";
import { guardRoute } from "../state/router.js";
import { confirm } from "../ui/dialog.js";

/**
 * Asks before somebody leaves a page with what was typed and not saved: on the way to another page of
 * ours with a window, on the way out with the browser's own.
 * @param {object} guard
 * @param {() => boolean} guard.unsaved
 * @param {() => void} guard.discard gives it up: the component may stay
 * @param {AbortSignal} guard.signal ends it
 * @param {"unsaved" | "running"} [guard.what]
 */
export function guardLeaving({ unsaved, discard, signal, what = "unsaved" }) {
  const end = guardRoute(async () => {
    if (!unsaved()) return true;
    const sure = await confirm({ title: t(`leave.${what}.title`), text: t(`leave.${what}.text`), action: t("leave.leave"), danger: true });
    if (sure) discard();
    return sure;
  });
  signal.addEventListener("abort", end);
  addEventListener("beforeunload", (event) => { if (unsaved()) event.preventDefault(); }, { signal });
}
