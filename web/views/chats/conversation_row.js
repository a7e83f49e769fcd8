/** @import { Conversation, State } from "../../types.js" */
import { formatFull, formatShort, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { nameOf, progressOf, titleOf, userOf } from "../../state/conversations.js";
import { href } from "../../state/router.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { lastLine, messageLine } from "./message_line.js";

/**
 * A conversation in the list: who, what was said last, and what is new.
 * @param {State} state
 * @param {Conversation} conversation
 * @param {{tabindex: 0 | -1, current: boolean, more: (event: Event) => void}} row
 */
export function conversationRow(state, conversation, { tabindex, current, more }) {
  const { id, pinned, notify } = conversation;
  const title = titleOf(state, conversation);
  const { name, number, picture, status } = pictureOf(state, conversation);
  return html`
    <a draggable="false" class="row ${current ? "current" : ""}" href=${href("chats", id)} data-conversation=${id} tabindex=${tabindex} aria-current=${current ? "page" : nothing}>
      <myim-avatar .name=${name} .number=${number} .picture=${picture} .status=${status} .size=${44}></myim-avatar>
      <span class="row-text">
        <span class="row-line">
          <bdi class="row-name ellipsis">${title}</bdi>
          ${status === "online" || status === "away" ? html`<span class="hidden-text">, ${t(`status.${status}`)}, </span>` : nothing}
          ${pinned ? sign("pin", "lists.pinned") : nothing}
          ${notify === "nothing" ? sign("bell-off", "lists.muted") : nothing}
          ${notify === "mentions" ? sign("at-sign", "lists.mentions_only") : nothing}
          <span class="row-space"></span>
          <time class="row-time" datetime=${conversation.active_at} title=${formatFull(conversation.active_at)}>${formatShort(conversation.active_at)}</time>
        </span>
        <span class="row-line">
          <span class="row-last ellipsis">${whatIsSaid(state, conversation, current)}</span>
          ${marks(conversation)}
        </span>
      </span>
    </a>
    <button class="icon-button row-more" tabindex=${tabindex} aria-haspopup="menu" aria-label=${t("lists.more", { name: title })} @click=${more}>
      ${icon("ellipsis-vertical")}
    </button>
  `;
}

/**
 * What the avatar of a conversation needs.
 * @param {State} state
 * @param {Conversation} conversation
 */
export function pictureOf(state, conversation) {
  const { group, peer } = conversation;
  if (group) return { name: group.name, number: group.id, picture: group.avatar ?? "", status: "" };
  const user = peer && (userOf(state, peer.id) ?? peer);
  return {
    name: titleOf(state, conversation),
    number: peer?.id ?? "0",
    picture: user?.avatar ?? "",
    status: peer && peer.id !== state.me?.id ? (state.presence.get(peer.id)?.status ?? "") : "",
  };
}

/** @param {State} state @param {Conversation} conversation @param {boolean} current */
function whatIsSaid(state, conversation, current) {
  const { id, group } = conversation;
  const typing = [...(state.typing.get(id)?.keys() ?? [])];
  if (typing.length) {
    const text = group ? t("lists.typing_who", { who: nameOf(state, typing[0] ?? "", group.id) }) : t("lists.typing");
    return html`<span class="row-typing"><bdi>${text}</bdi></span>`;
  }
  const draft = state.drafts.get(id);
  if (draft?.text.trim() && !current) {
    return html`<span class="row-draft">${t("lists.draft")}</span> <bdi>${draft.text.slice(0, 200)}</bdi>`;
  }
  const pending = state.pending.get(id)?.at(-1);
  if (pending) {
    const failed = pending.state === "failed";
    return html`${failed ? sign("circle-alert", "lists.failed", "bad") : sign("clock", "lists.sending", "waiting")}
      <bdi>${messageLine(state, pending, group?.id)}</bdi>`;
  }
  const last = conversation.last_message;
  if (last && group && last.sender !== "0") app.client?.people.need(last.sender);
  const { before, text } = lastLine(state, conversation);
  return html`${last && conversation.kind === "direct" && last.sender === state.me?.id && !last.recalled_at ? progress(conversation) : nothing}<bdi
      >${before && !last?.recalled_at ? t("lists.who", { who: before, text }) : text}</bdi
    >`;
}

/** @param {Conversation} conversation whose last message is one's own */
function progress(conversation) {
  const got = progressOf(conversation, /** @type {import("../../types.js").Message} */ (conversation.last_message));
  return sign(got === "sent" ? "check" : "check-check", `lists.${got}`, got === "read" ? "accent" : "");
}

/** @param {Conversation} conversation */
function marks({ unread, mentions, notify }) {
  const quiet = notify === "nothing" || (notify === "mentions" && mentions === 0);
  return html`
    ${mentions > 0 ? html`<span class="badge ${notify === "nothing" ? "quiet" : ""}"><span aria-hidden="true">@</span><span class="hidden-text">${t("lists.mentioned")}</span></span>` : nothing}
    ${unread > 0
      ? html`<span class="badge ${quiet ? "quiet" : ""}">
          <span aria-hidden="true">${unread > 99 ? "99+" : unread}</span><span class="hidden-text">${t("lists.unread", { count: unread })}</span>
        </span>`
      : nothing}
  `;
}

/**
 * A small drawing with its meaning for who cannot see it.
 * @param {keyof typeof import("../../vendor/icons.js").icons} drawing
 * @param {string} key
 * @param {string} [classes]
 */
function sign(drawing, key, classes = "") {
  return html`<span class="row-sign ${classes}" title=${t(key)}>${icon(drawing)}<span class="hidden-text">${t(key)}</span></span>`;
}
