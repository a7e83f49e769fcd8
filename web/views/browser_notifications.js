/** @import { Surface } from "../state/notifications.js" */
import { t } from "../i18n/index.js";
import { app } from "../state/app.js";
import { nameOf, titleOf } from "../state/conversations.js";
import { go } from "../state/router.js";
import { messageLine } from "./chats/message_line.js";
import { playChime } from "../ui/chime.js";

/** Notifications of the page itself, by tag, where there is no service worker. @type {Map<string, Notification>} */
const open = new Map();

/** How this browser tells people of something. @type {Surface} */
export const notify = {
  show(notification) {
    if (!("Notification" in globalThis) || Notification.permission !== "granted") return;
    const { title, body } = words(notification);
    const data = { go: notification.address, user_id: app.client?.account.user_id ?? "" };
    void show(title, { body, tag: notification.tag, data });
  },
  close(tag) {
    open.get(tag)?.close();
    open.delete(tag);
    void worker().then(async (registration) => {
      for (const one of (await registration?.getNotifications({ tag })) ?? []) one.close();
    });
  },
  sound: playChime,
  badge(unread) {
    // Only for what is installed; elsewhere the title tells it.
    const set = unread > 0 ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.();
    set?.catch(() => {});
  },
};

/** @param {Parameters<Surface["show"]>[0]} notification */
function words({ message, request, conversation }) {
  const { state } = app.store;
  if (request) {
    const name = request.user.nickname || request.user.username;
    return { title: t("compose.notify_request_title"), body: [t("compose.notify_request", { name }), request.note].filter(Boolean).join("\n") };
  }
  if (!message) return { title: t("compose.notify_new"), body: "" };
  const group = conversation?.group?.id;
  const line = messageLine(state, message, group);
  const name = nameOf(state, message.sender, group);
  if (!conversation || conversation.kind === "direct") return { title: name, body: line };
  return { title: titleOf(state, conversation), body: `${name}: ${line}` };
}

/**
 * Where a notification leads, and whose it is: each tab is one account's.
 * @typedef {{go: string, user_id: string}} Target
 */

/** @param {string} title @param {{body: string, tag: string, data: Target}} options */
async function show(title, options) {
  const registration = await worker();
  const all = { ...options, icon: new URL("../icons/icon-192.png", import.meta.url).href, renotify: true };
  if (registration?.active) return registration.showNotification(title, all);
  try {
    const shown = new Notification(title, all);
    open.set(options.tag, shown);
    shown.onclick = () => {
      if (follow(options.data)) window.focus();
      shown.close();
    };
  } catch {
    // Phones take them from a service worker only.
  }
}

async function worker() {
  return navigator.serviceWorker?.getRegistration().catch(() => undefined);
}

/** @param {Target} target @returns {boolean} whether this tab is the one to show it */
function follow(target) {
  if (target.user_id !== app.client?.account.user_id) return false;
  go(target.go);
  return true;
}

// Somebody clicked a notification that the service worker shows: it asks one page after the other.
navigator.serviceWorker?.addEventListener("message", ({ data, ports }) => {
  if (typeof data?.go === "string") ports[0]?.postMessage(follow(data));
});
