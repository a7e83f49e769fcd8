const SHOWN_MS = 5_000;

/** Says something for a few seconds, also to screen readers. @param {string} text @param {"info" | "error"} [kind] */
export function toast(text, kind = "info") {
  let region = document.querySelector(".toasts");
  if (!region) {
    region = document.createElement("div");
    region.className = "toasts";
    region.setAttribute("role", "status");
    region.setAttribute("aria-live", "polite");
    document.body.append(region);
  }
  const shown = document.createElement("div");
  shown.className = `toast ${kind}`;
  shown.textContent = text;
  region.append(shown);
  setTimeout(() => shown.remove(), SHOWN_MS);
}
