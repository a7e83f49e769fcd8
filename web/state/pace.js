/** What a screen shows at most once, see https://html.spec.whatwg.org/#update-the-rendering: 60 frames a second. */
const FRAME_MS = 16;

/**
 * Runs what it is given at once, but no sooner than a frame after the last time: a busy conversation
 * changes more often than anybody can see. A timer and no animation frame, because pages that nobody
 * looks at have none of those and still ring.
 * @returns {(work: () => void) => void}
 */
export function oncePerFrame() {
  let last = -FRAME_MS;
  return (work) => {
    const run = () => {
      last = performance.now();
      work();
    };
    const wait = last + FRAME_MS - performance.now();
    if (wait > 0) setTimeout(run, wait);
    else queueMicrotask(run);
  };
}
