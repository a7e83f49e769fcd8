/** @import { Conversation, State } from "../../types.js" */
/** @import { Hindrance } from "../../state/may_write.js" */
import { formatFull, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { titleOf } from "../../state/conversations.js";
import { attempt } from "../../ui/attempt.js";
import { ask } from "../../ui/dialog.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";

/** The server takes 255 bytes, which are at least so many characters. */
const NOTE_MAX = 63;

/**
 * In the place of the field: why one may not write here, and what can be done about it.
 * @param {State} state
 * @param {Conversation} conversation
 * @param {Hindrance} hindrance
 */
export function hindranceNote(state, conversation, { reason, until, request }) {
  const name = titleOf(state, conversation);
  const peer = conversation.peer?.id ?? "";
  const people = app.client?.people;
  if (reason === "not_friends" && request?.direction === "incoming") {
    return note(t("compose.asks_you", { name }), t("compose.accept"), () => people?.answer(request.id, "accept"));
  }
  if (reason === "not_friends" && request) return note(t("compose.asked", { name }));
  if (reason === "not_friends") return note(t("compose.not_friends", { name }), t("compose.ask_contact"), () => askToBeContact(peer, name));
  if (reason === "blocked") return note(t("compose.blocked", { name }), t("compose.unblock"), () => people?.block(peer, false));
  if (reason === "muted_until") return note(t("compose.muted_until", { time: formatFull(until ?? 0) }));
  return note(t(`compose.${reason}`));
}

/** @param {string} text @param {string} [action] @param {() => unknown} [run] */
function note(text, action, run) {
  return html`<div class="hindrance" role="note">
    <span class="hindrance-text">${icon("lock")}<span>${text}</span></span>
    ${action && run ? html`<button class="button primary" @click=${() => void attempt(async () => run())}>${action}</button>` : nothing}
  </div>`;
}

/** @param {string} id @param {string} name */
async function askToBeContact(id, name) {
  const said = await ask({
    title: t("compose.ask_contact"),
    label: t("compose.note", { name }),
    action: t("compose.ask"),
    maxLength: NOTE_MAX,
  });
  if (said !== undefined) await app.client?.people.request(id, said);
}
