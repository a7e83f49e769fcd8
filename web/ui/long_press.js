/** As long as the systems of phones wait. */
const LONG_MS = 500;
/** A finger is never quite still. */
const STILL_PX = 10;

/**
 * Hears that somebody asks what can be done with something: a right click, the menu key, or a finger
 * that stays. Not every phone makes a `contextmenu` of the last.
 * @param {HTMLElement} area
 * @param {AbortSignal} signal
 * @param {(target: Element, at: {x: number, y: number}, touch: boolean) => boolean} open false if
 *   there is nothing to open there
 */
export function onAsked(area, signal, open) {
  /** @type {number | undefined} */
  let timer;
  let start = { x: 0, y: 0 };
  let opened = false;
  const options = { signal };
  const stop = () => clearTimeout(timer);
  area.addEventListener(
    "contextmenu",
    (event) => {
      stop();
      if (opened) return event.preventDefault();
      const touch = event.pointerType === "touch";
      const done = open(/** @type {Element} */ (event.target), { x: event.clientX, y: event.clientY }, touch);
      if (done) event.preventDefault();
      opened = done && touch;
    },
    options,
  );
  area.addEventListener(
    "pointerdown",
    (event) => {
      opened = false;
      stop();
      if (event.pointerType !== "touch" || !event.isPrimary) return;
      start = { x: event.clientX, y: event.clientY };
      timer = setTimeout(() => (opened = open(/** @type {Element} */ (event.target), start, true)), LONG_MS);
    },
    options,
  );
  area.addEventListener(
    "pointermove",
    (event) => {
      if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > STILL_PX) stop();
    },
    options,
  );
  for (const end of ["pointerup", "pointercancel"]) area.addEventListener(end, stop, options);
  area.addEventListener(
    "touchend",
    (event) => {
      // Lifting the finger is no tap, neither on what is below nor on what was opened.
      if (opened) event.preventDefault();
      opened = false;
    },
    { signal, passive: false },
  );
}
