const SCRIPT = "/sw.js";

let registered = false;

/**
 * Lets the page open without a network. Only pages over TLS, and those of this computer itself, may
 * have a service worker. A page asks for it once, whoever signs in in it after that.
 */
export function registerWorker() {
  if (registered || !("serviceWorker" in navigator) || !isSecureContext) return;
  registered = true;
  /** @type {any} */
  const { trustedTypes } = globalThis;
  // The page's policy (Content-Security-Policy) lets it be made once.
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
