/** @import { Message, State } from "../../types.js" */
import { formatNumber, t } from "../../i18n/index.js";
import { nameOf } from "../../state/conversations.js";
import { icon } from "../../ui/icon.js";
import { html } from "../../vendor/lit.js";

/** What can be reacted with at once; everything else is in the picker. */
export const QUICK_REACTIONS = ["👍", "❤️", "😂", "😮", "😢", "🎉"];

/**
 * The reactions to a message, each a button that adds one's own or takes it back.
 * @param {Message} message
 * @param {State} state
 * @param {string} [groupId]
 */
export function reactions({ reactions: given = [] }, state, groupId) {
  return html`<div class="reactions" role="group" aria-label=${t("chat.reactions")}>
    ${given.map(({ emoji, count, users }) => {
      const own = state.me !== null && users.includes(state.me.id);
      const names = users.map((id) => (id === state.me?.id ? t("lists.you") : nameOf(state, id, groupId)));
      if (count > users.length) names.push(t("chat.and_more", { count: count - users.length }));
      const who = names.join(t("chat.list_comma"));
      return html`<button
        class="reaction ${own ? "own" : ""}"
        data-act="react"
        data-emoji=${emoji}
        aria-pressed=${own}
        aria-label=${t("chat.reaction", { emoji, count, names: who })}
        title=${who}
      >
        <span class="emoji" aria-hidden="true">${emoji}</span> <span aria-hidden="true">${formatNumber(count)}</span>
      </button>`;
    })}
    <button class="reaction add" data-act="react-more" aria-label=${t("chat.react")}>${icon("smile")}${icon("plus", "tiny")}</button>
  </div>`;
}
