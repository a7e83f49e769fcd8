const LEASE_MS = 6_000;
const RENEW_MS = 2_000;

/**
 * Lets one tab of the browser do something for all of them: `lead` is called once this tab is the
 * one. When it closes, another tab's turn comes.
 * @param {string} name
 * @param {() => void} lead
 * @param {AbortSignal} signal gives the place up
 */
export function whenLeader(name, lead, signal) {
  if (navigator.locks) {
    const held = () => {
      lead();
      return new Promise((release) => signal.addEventListener("abort", release));
    };
    navigator.locks.request(name, { signal }, held).catch(() => {});
  } else {
    // Pages that did not come over TLS have no locks.
    byLease(name, lead, signal);
  }
}

/**
 * The same with a note in the storage that all tabs share, which its owner renews.
 * @param {string} name
 * @param {() => void} lead
 * @param {AbortSignal} signal
 */
function byLease(name, lead, signal) {
  const own = String(Math.random());
  let leads = false;
  const read = () => {
    try {
      return JSON.parse(localStorage.getItem(name) ?? "null");
    } catch {
      return null;
    }
  };
  const write = () => localStorage.setItem(name, JSON.stringify({ own, until: Date.now() + LEASE_MS }));
  const look = () => {
    const lease = read();
    if (leads || !lease || lease.until < Date.now()) {
      write();
      // If two tabs wrote at once the later one stays, and both see it a moment later.
      setTimeout(() => {
        if (!signal.aborted && !leads && read()?.own === own) {
          leads = true;
          lead();
        }
      }, 100);
    }
  };
  const timer = setInterval(look, RENEW_MS);
  const leave = () => {
    clearInterval(timer);
    if (read()?.own === own) localStorage.removeItem(name);
  };
  signal.addEventListener("abort", leave);
  addEventListener("pagehide", leave);
  look();
}
