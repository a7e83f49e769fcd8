const SHOWN_MS = 5_000;

/** Says something for a few seconds, also to screen readers. @param {string} text @param {"info" | "error"} [kind] */
export function toast(text, kind = "info") {
  const region = document.querySelector(".toasts") ?? makeRegion();
  place(region);
  const shown = document.createElement("div");
  shown.className = `toast ${kind}`;
  shown.textContent = text;
  region.append(shown);
  setTimeout(() => shown.remove(), SHOWN_MS);
}

function makeRegion() {
  const region = document.createElement("div");
  region.className = "toasts";
  region.setAttribute("role", "status");
  region.setAttribute("aria-live", "polite");
  return region;
}

/** What is behind a window is neither seen nor read out, so it goes into the foremost one. @param {Element} region */
function place(region) {
  const window = [...document.querySelectorAll("dialog:modal")].at(-1);
  const host = window ?? document.body;
  if (region.parentElement === host) return;
  host.append(region);
  // The window ends, and what was said in it is still to be read.
  window?.addEventListener("close", () => place(region), { once: true });
}
