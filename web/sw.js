// Keeps the page and what it is made of, so that it opens without a network. What people write, their
// files and their pictures are never kept here.
//
// The server puts in where the files of this build stand. With another build this script is another
// one too, so the browser installs it beside the old one, which goes on for the pages that it began.
const BASE = "{{base}}";
/** @type {string[]} */
const FILES = JSON.parse(`{{files}}`);
/** How long the page may take before the kept one is shown. */
const PAGE_MS = 5_000;
const CACHE = `myim ${BASE}`;
const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
/** How long a page may take to say whether it shows what a notification is of. */
const ANSWER_MS = 700;

worker.addEventListener("install", (event) => {
  event.waitUntil(install());
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(clear());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === "/") event.respondWith(page(request));
  else if (url.pathname.startsWith(`${BASE}/`)) event.respondWith(asset(request));
});

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data));
});

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll(["/", "/manifest.webmanifest", ...FILES]);
}

/** Other builds are gone when no page needs them any more, which is when this one begins. */
async function clear() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("myim ") && name !== CACHE).map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** The page as the server has it now, or the one that was kept. @param {Request} request */
async function page(request) {
  try {
    // A network that swallows everything would be waited for much longer.
    const answer = await fetch(request, { signal: AbortSignal.timeout(PAGE_MS) });
    if (answer.status < 500) return answer;
  } catch {
    // There is no network.
  }
  return (await kept("/")) ?? Response.error();
}

/** What never changes is taken from here. What may change, as while the client is worked on, is asked for. @param {Request} request */
async function asset(request) {
  const known = await kept(request);
  if (known && /immutable/.test(known.headers.get("cache-control") ?? "")) return known;
  try {
    const answer = await fetch(request);
    if (answer.ok) await (await caches.open(CACHE)).put(request, answer.clone());
    return answer;
  } catch (error) {
    if (known) return known;
    throw error;
  }
}

/** @param {RequestInfo} request */
async function kept(request) {
  return (await caches.open(CACHE)).match(request);
}

/** Where a notification leads: a place, and whose. @typedef {{user_id: string, go: string}} Target */

/** Goes to a place in a page of the account that is open, or in a new one. @param {Target} target */
async function open(target) {
  const pages = [...(await worker.clients.matchAll({ type: "window", includeUncontrolled: true }))];
  pages.sort((a, b) => Number(b.focused) - Number(a.focused));
  for (const page of pages) if (await takes(page, target)) return page.focus();
  return worker.clients.openWindow(`/?account=${encodeURIComponent(target.user_id)}${target.go}`);
}

/**
 * A page of another account says no, and one that the browser put to sleep says nothing.
 * @param {WindowClient} page @param {Target} target
 * @returns {Promise<boolean>}
 */
function takes(page, target) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
    setTimeout(resolve, ANSWER_MS, false);
    page.postMessage(target, [port2]);
  });
}
