/** Shows the page as the user likes it. @param {import("../types.js").Preferences} preferences */
export function applyTheme({ theme, textSize }) {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  root.dataset.text = textSize;
}
