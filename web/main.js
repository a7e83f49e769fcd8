import { useLanguage } from "./i18n/index.js";
import { app } from "./state/app.js";
import { startRouter } from "./state/router.js";
import { applyTheme } from "./ui/theme.js";
import "./views/app.js";
import { conversation, signedIn } from "./views/parts.js";

/** The language is loaded before anything is drawn; the rest draws itself from the state. */
async function start() {
  applyTheme(app.store.state.preferences);
  let { language } = app.store.state.preferences;
  app.store.subscribe(({ preferences }) => {
    applyTheme(preferences);
    if (preferences.language !== language) void useLanguage((language = preferences.language));
  });
  const speaks = useLanguage(language);
  startRouter();
  // Whoever is signed in sees nothing of the sign-in page: everything he needs is loaded before.
  await Promise.all([speaks, app.start(loadClient)]);
  const root = document.createElement("myim-app");
  document.getElementById("root")?.replaceChildren(root);
}

/** The client comes with everything that shows it. */
async function loadClient() {
  const { page, parts } = app.store.state.route;
  if (page === "chats" && parts.length > 0) conversation.warm();
  return (await signedIn.load()).Client;
}

void start();
