/** @import { ContactRequest, State, User } from "../../types.js" */
import { currentLanguage, formatAgo, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { userOf } from "../../state/conversations.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { openMenu } from "../../ui/menu.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { openChatWith } from "../chats/open_chat.js";
import { block, changeRemark, listName, move, removeContact, requestContact, unblock } from "./contact_actions.js";
import { detail, factList } from "./detail.js";

/** What somebody tells of themselves, and what one can do about them. */
export class UserProfile extends Element {
  static properties = { userId: {}, missing: { state: true } };

  select = (/** @type {State} */ state) => ({
    user: userOf(state, this.userId),
    contact: state.contacts.get(this.userId),
    request: state.requests.find(({ user }) => user.id === this.userId),
    blocked: state.blocks.has(this.userId),
    presence: state.presence.get(this.userId),
    lists: state.contactLists.length,
    me: state.me?.id,
    everyone: state.server?.direct_messages === "everyone",
  });

  constructor() {
    super();
    this.userId = "";
    this.missing = false;
  }

  firstUpdated() {
    app.client?.presence.need([this.userId]);
    void app.client?.people.loadUser(this.userId).then((user) => (this.missing = user === null));
  }

  render() {
    const { user } = this.seen;
    if (!user) return detail("", html`<p class="empty">${t(this.missing ? "error.no_such_user" : "app.loading")}</p>`);
    const name = user.nickname || user.username;
    return detail(this.seen.contact?.remark || name, this.#content(user), { actions: this.#more(user, name) });
  }

  /** @param {User} user */
  #content(user) {
    const { contact, presence, blocked } = this.seen;
    const shown = contact?.remark || user.nickname || user.username;
    const birthday = user.birthday && new Intl.DateTimeFormat(currentLanguage(), { dateStyle: "long", timeZone: "UTC" }).format(new Date(user.birthday));
    return html`
      <div class="portrait">
        <myim-avatar .name=${shown} .number=${user.id} .picture=${user.avatar} .status=${presence?.status ?? ""} .size=${112}></myim-avatar>
        <p class="portrait-name"><bdi>${shown}</bdi> ${user.bot ? html`<span class="people-tag">${t("people.bot")}</span>` : nothing}</p>
        ${presence ? html`<p class="muted">${whereabouts(presence)}</p>` : nothing}
        ${user.signature ? html`<p class="portrait-words"><bdi>${user.signature}</bdi></p>` : nothing}
      </div>
      ${blocked ? html`<p class="note warn">${icon("ban")}${t("people.is_blocked")}</p>` : nothing}
      ${this.#request()}
      <div class="people-actions">${this.#actions(user)}</div>
      ${factList([
        [t("people.nickname"), contact?.remark ? user.nickname : ""],
        [t("people.username"), `@${user.username}`],
        [t("people.number_label"), user.id],
        [t("people.list"), contact && listName(contact.list)],
        [t("people.birthday"), birthday],
        [t("people.phone"), user.phone],
        [t("people.mail"), user.mail],
        [t("people.address"), user.address],
      ])}
    `;
  }

  #request() {
    const request = /** @type {ContactRequest | undefined} */ (this.seen.request);
    if (!request || this.seen.contact) return nothing;
    if (request.direction === "outgoing") return html`<p class="note">${icon("clock")}${t("people.asked_long")}</p>`;
    return html`<p class="note">
      ${icon("user-check")}
      <span>${t("people.asks_you")} <a href=${href("people", "requests")}>${t("people.answer")}</a></span>
    </p>`;
  }

  /** @param {User} user */
  #actions(user) {
    const { contact, request, blocked, me, everyone } = this.seen;
    const message = html`<button class="button primary" @click=${() => openChatWith(user.id)}>${icon("message-circle")}${t("people.message")}</button>`;
    if (user.id === me) return html`${message}<a class="button" href=${href("settings", "profile")}>${icon("pencil")}${t("people.edit_own")}</a>`;
    if (contact) return html`${message}<button class="button" @click=${() => changeRemark(contact)}>${icon("pencil")}${t("people.remark")}</button>`;
    const add = html`<button class="button ${everyone ? "" : "primary"}" @click=${() => requestContact(user)}>${icon("user-plus")}${t("people.add")}</button>`;
    if (blocked) return html`<button class="button" @click=${() => unblock(user)}>${t("people.unblock")}</button>`;
    return html`${everyone ? message : nothing}${request ? nothing : add}`;
  }

  /** @param {User} user @param {string} name */
  #more(user, name) {
    const { contact, blocked, lists, me } = this.seen;
    if (user.id === me) return nothing;
    const open = (/** @type {Event} */ event) =>
      openMenu(/** @type {HTMLElement} */ (event.currentTarget), t("action.more"), [
        contact && lists > 1 && { label: t("people.move"), icon: "folder", run: () => void move(contact) },
        blocked
          ? { label: t("people.unblock"), icon: "check", run: () => void unblock(user) }
          : { label: t("people.block"), icon: "ban", danger: true, run: () => void block(user, name) },
        contact && { label: t("people.remove"), icon: "user-minus", danger: true, run: () => void removeContact(contact) },
      ]);
    return html`<button class="icon-button" aria-haspopup="menu" aria-label=${t("people.more_about", { name })} @click=${open}>${icon("ellipsis-vertical")}</button>`;
  }
}

/** @param {import("../../types.js").Presence} presence */
function whereabouts({ status, last_seen }) {
  if (status === "offline" && last_seen) return t("people.last_seen", { ago: formatAgo(last_seen) });
  return t(`status.${status}`);
}

customElements.define("myim-user-profile", UserProfile);
