import { app } from "./app.js";

/**
 * Where one is stands behind `#` of the address: `#/chats/17`, `#/settings/devices`. So back, forward,
 * bookmarks and several tabs work, and the server has one page only.
 */

/** Follows the address from now on. */
export function startRouter() {
  addEventListener("hashchange", follow);
  show();
}

/** @type {(() => Promise<boolean>) | null} */
let guard = null;
/** The address that is shown. */
let shown = "";

/**
 * Asks before another address is followed. One page at a time does so.
 * @param {() => Promise<boolean>} mayLeave
 * @returns {() => void} ends it
 */
export function guardRoute(mayLeave) {
  guard = mayLeave;
  return () => {
    if (guard === mayLeave) guard = null;
  };
}

async function follow() {
  const wanted = location.hash;
  if (guard && wanted !== shown) {
    // The address says where one is until it was decided to leave.
    history.replaceState(history.state, "", shown || "#/");
    if (!(await guard())) return;
    history.replaceState(history.state, "", wanted);
  }
  show();
}

function show() {
  shown = location.hash;
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [page, ...parts] = path.split("/").filter(Boolean).map(decode);
  app.store.set({ route: { page: page ?? "chats", parts, query: new URLSearchParams(query) } });
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a place, for links. @param {...string} parts */
export function href(...parts) {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

/**
 * Goes to a place.
 * @param {string} address as `href` makes it
 * @param {{replace?: boolean}} [options] `replace`: back does not come here
 */
export function go(address, { replace = false } = {}) {
  if (replace) location.replace(address);
  else location.hash = address;
}
