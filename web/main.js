import { useLanguage } from "./i18n/index.js";
import { app } from "./state/app.js";
import { Notifications } from "./state/notifications.js";
import { startRouter } from "./state/router.js";
import { applyTheme } from "./ui/theme.js";
import { registerWorker } from "./ui/worker.js";
import { notify } from "./views/browser_notifications.js";
import "./views/app.js";

/** The language is loaded before anything is drawn; the rest draws itself from the state. */
async function start() {
  applyTheme(app.store.state.preferences);
  let { language } = app.store.state.preferences;
  app.store.subscribe(({ preferences }) => {
    applyTheme(preferences);
    if (preferences.language !== language) void useLanguage((language = preferences.language));
  });
  await useLanguage(language);
  startRouter();
  notifyOfMessages();
  app.start();
  const root = document.createElement("myim-app");
  document.getElementById("root")?.replaceChildren(root);
  registerWorker();
}

/** Whoever is at work hears of new messages. */
function notifyOfMessages() {
  /** @type {Notifications | null} */
  let notifications = null;
  app.onAccount(() => {
    notifications?.stop();
    notifications = app.client && new Notifications(app.client, notify);
  });
}

void start();
