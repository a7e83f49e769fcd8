const SCRIPT = "/sw.js";

/**
 * Lets the page open without a network. Only pages over TLS, and those of this computer itself, may
 * have a service worker.
 */
export function registerWorker() {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  /** @type {any} */
  const { trustedTypes } = globalThis;
  const policy = trustedTypes?.createPolicy("myim", {
    createScriptURL: (/** @type {string} */ url) => {
      if (url !== SCRIPT) throw new TypeError(`${url} is not our service worker`);
      return url;
    },
  });
  const script = policy ? policy.createScriptURL(SCRIPT) : SCRIPT;
  navigator.serviceWorker.register(script, { scope: "/" }).catch(() => {
    // A browser that keeps nothing, as in a private window, works like one without.
  });
}
