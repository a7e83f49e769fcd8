/** @import { Suggestion } from "./suggestions.js" */
import { html, nothing } from "../../vendor/lit.js";
import { t } from "../../i18n/index.js";
import "../../ui/avatar.js";

/**
 * What may take the place of what was typed, above the field. The focus stays in the field, which
 * says by `aria-activedescendant` which one is chosen.
 * @param {string} id
 * @param {Suggestion[]} items
 * @param {number} chosen
 * @param {(item: Suggestion) => void} choose
 */
export function mentionList(id, items, chosen, choose) {
  return html`<ul class="mention-list" role="listbox" id=${id} aria-label=${t("compose.suggestions")}>
    ${items.map(
      (item, at) => html`<li
        id="${id}-${at}"
        class="mention-item"
        role="option"
        aria-selected=${at === chosen}
        @pointerdown=${(/** @type {Event} */ event) => {
          // The field keeps the focus.
          event.preventDefault();
          choose(item);
        }}
      >
        ${item.user
          ? html`<myim-avatar .name=${item.label} .number=${item.user.id} .picture=${item.user.avatar} .size=${28}></myim-avatar>`
          : nothing}
        <bdi class="ellipsis">${item.label}</bdi>
        ${item.hint ? html`<bdi class="muted ellipsis">${item.hint}</bdi>` : nothing}
      </li>`,
    )}
  </ul>`;
}
