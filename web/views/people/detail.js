import { t } from "../../i18n/index.js";
import { go, href } from "../../state/router.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";

/**
 * What all pages beside the contacts look like: a head with the way back, and what scrolls below it.
 * @param {string} title
 * @param {unknown} content
 * @param {{back?: string, actions?: unknown}} [more] `back` is where the way back leads, if it is not
 *   where one came from
 */
export function detail(title, content, { back, actions = nothing } = {}) {
  return html`
    <header class="pane-head">
      <button class="icon-button ${back ? "" : "back"}" aria-label=${t("action.back")} @click=${() => (back ? go(back) : leave())}>${icon("arrow-left")}</button>
      <h2 class="ellipsis" tabindex="-1"><bdi>${title}</bdi></h2>
      ${actions}
    </header>
    <div class="pane-body scroller"><div class="people-sheet">${content}</div></div>
  `;
}

/** Back to where one came from: a profile is often opened from a conversation. */
function leave() {
  const { navigation } = /** @type {any} */ (window);
  if (navigation?.canGoBack) history.back();
  else go(href("people"));
}

/**
 * Terms and what they are; what is empty is left out.
 * @param {[term: string, what: unknown][]} facts
 */
export function factList(facts) {
  return html`<dl class="people-facts">
    ${facts.filter(([, what]) => what).map(([term, what]) => html`<div><dt>${term}</dt><dd><bdi>${what}</bdi></dd></div>`)}
  </dl>`;
}
