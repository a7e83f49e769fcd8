import { app } from "../state/app.js";
import { Notifications } from "../state/notifications.js";
import { registerWorker } from "../ui/worker.js";
import { notify } from "./browser_notifications.js";
import "./shell.js";

export { Client } from "../state/client.js";

/** @type {Notifications | null} */
let notifications = null;

// Whoever is at work hears of new messages, and can open the page without a network.
app.onAccount(() => {
  notifications?.stop();
  notifications = app.client && new Notifications(app.client, notify);
  if (app.client) registerWorker();
});
