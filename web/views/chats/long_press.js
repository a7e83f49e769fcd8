/** What other browsers take for a long press. */
const LONG_MS = 500;
/** A finger never is quite still. */
const STILL_PX = 10;

/**
 * Asks for the menu of what is pressed for long, on systems whose browsers do not do so by themselves.
 * @param {HTMLElement} element
 * @param {AbortSignal} signal
 */
export function longPressOpensMenu(element, signal) {
  if (!CSS.supports("-webkit-touch-callout: none")) return;
  /** @type {number | undefined} */
  let timer;
  /** @type {PointerEvent | null} */
  let down = null;
  const end = () => clearTimeout(timer);
  const begin = (/** @type {PointerEvent} */ event) => {
    end();
    if (event.pointerType !== "touch" || !event.isPrimary) return;
    down = event;
    timer = setTimeout(() => {
      const { clientX, clientY } = event;
      event.target?.dispatchEvent(new PointerEvent("contextmenu", { bubbles: true, cancelable: true, clientX, clientY, pointerType: "touch" }));
    }, LONG_MS);
  };
  const move = (/** @type {PointerEvent} */ event) => {
    if (down && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > STILL_PX) end();
  };
  element.addEventListener("pointerdown", begin, { signal });
  element.addEventListener("pointermove", move, { signal });
  for (const over of ["pointerup", "pointercancel"]) element.addEventListener(over, end, { signal });
}
