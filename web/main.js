import { useLanguage } from "./i18n/index.js";
import { app } from "./state/app.js";
import { startRouter } from "./state/router.js";
import { applyTheme } from "./ui/theme.js";
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
  app.start();
  const root = document.createElement("myim-app");
  document.getElementById("root")?.replaceChildren(root);
}

void start();
