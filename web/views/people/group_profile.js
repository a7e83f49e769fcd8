/** @import { Group, GroupMember, State } from "../../types.js" */
import { describe, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { isOwner, mayInvite, mayManage } from "../../state/group_rights.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { openMenu } from "../../ui/menu.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { chooseNotify } from "../chats/conversation_menu.js";
import { openChatOf } from "../chats/open_chat.js";
import { detail } from "./detail.js";
import { changeAnnouncement, changeOwnNickname, dissolve, invite, leave, transfer } from "./group_actions.js";
import "./group_join.js";
import "./group_members.js";
import "./join_requests.js";

/** A group: what it is, who is in it, and what one may do there. */
export class GroupProfile extends Element {
  static properties = { groupId: {}, loaded: { state: true }, failure: { state: true } };

  select = (/** @type {State} */ state) => ({
    group: state.groups.get(this.groupId),
    members: state.members.get(this.groupId),
    conversation: [...state.conversations.values()].find(({ group }) => group?.id === this.groupId),
  });

  constructor() {
    super();
    this.groupId = "";
    /** Whether the group was asked for: one that is not there then is none. */
    this.loaded = false;
    /** @type {unknown} */
    this.failure = null;
  }

  firstUpdated() {
    app.client?.groups.load(this.groupId).then(
      () => (this.loaded = true),
      (error) => (this.failure = error),
    );
  }

  render() {
    const group = /** @type {Group | undefined} */ (this.seen.group);
    if (!group) {
      const why = this.failure ? describe(this.failure) : t(this.loaded ? "error.no_such_group" : "app.loading");
      return detail("", html`<p class="empty" role="status">${why}</p>`);
    }
    return detail(group.name, this.#content(group), { actions: group.role ? this.#more(group) : nothing });
  }

  /** @param {Group} group */
  #content(group) {
    return html`
      <div class="portrait">
        <myim-avatar .name=${group.name} .number=${group.id} .picture=${group.avatar ?? ""} .size=${112}></myim-avatar>
        <p class="portrait-name"><bdi>${group.name}</bdi></p>
        <p class="muted">${t("people.member_count", { count: group.members })} · ${t("people.group_number_is", { number: group.id })}</p>
        <p class="muted">${t(`people.join.${group.join}`)}${group.muted ? ` · ${t("people.group_muted")}` : ""}</p>
      </div>
      ${group.role ? this.#inside(group) : html`<myim-group-join .group=${group}></myim-group-join>`}
    `;
  }

  /** @param {Group} group of which one is a member */
  #inside(group) {
    const members = /** @type {GroupMember[] | undefined} */ (this.seen.members);
    return html`
      <div class="people-actions">
        <button class="button primary" @click=${() => openChatOf(group.id)}>${icon("message-circle")}${t("people.message")}</button>
        ${mayInvite(group) ? html`<button class="button" @click=${() => invite(group)}>${icon("user-plus")}${t("people.invite")}</button>` : nothing}
        ${mayManage(group)
          ? html`<a class="button" href=${href("people", "group", group.id, "settings")}>${icon("settings")}${t("people.group_settings")}</a>`
          : nothing}
      </div>
      ${this.#announcement(group)} ${this.#own(group)}
      ${mayManage(group) ? html`<myim-join-requests .groupId=${group.id}></myim-join-requests>` : nothing}
      ${members ? html`<myim-group-members .group=${group} .members=${members}></myim-group-members>` : html`<p class="muted">${t("app.loading")}</p>`}
    `;
  }

  /** @param {Group} group */
  #announcement(group) {
    const edit = mayManage(group);
    if (!group.announcement && !edit) return nothing;
    return html`<section class="people-block" aria-labelledby="group-announcement">
      <div class="people-block-head">
        <h3 id="group-announcement">${t("people.announcement")}</h3>
        ${edit
          ? html`<button class="icon-button" aria-label=${t("people.edit_announcement")} @click=${() => changeAnnouncement(group)}>${icon("pencil")}</button>`
          : nothing}
      </div>
      ${group.announcement ? html`<p class="people-words"><bdi>${group.announcement}</bdi></p>` : html`<p class="muted">${t("people.no_announcement")}</p>`}
    </section>`;
  }

  /** What a group is for oneself. @param {Group} group */
  #own(group) {
    const { conversation } = this.seen;
    return html`<section class="people-block" aria-labelledby="group-own">
      <h3 id="group-own">${t("people.for_me")}</h3>
      <ul class="plain-list">
        <li>
          <span class="fact-name">${t("people.own_nickname")}</span>
          <bdi class="ellipsis">${group.nickname ?? "—"}</bdi>
          <button class="icon-button" aria-label=${t("people.change_own_nickname")} @click=${() => changeOwnNickname(group)}>${icon("pencil")}</button>
        </li>
        ${conversation
          ? html`<li>
              <span class="fact-name">${t("people.notifications")}</span>
              <span class="ellipsis">${t(`lists.notify_${conversation.notify}`)}</span>
              <button class="icon-button" aria-label=${t("people.change_notifications")} @click=${() => chooseNotify(conversation)}>${icon("pencil")}</button>
            </li>`
          : nothing}
      </ul>
    </section>`;
  }

  /** @param {Group} group */
  #more(group) {
    const open = (/** @type {Event} */ event) =>
      openMenu(/** @type {HTMLElement} */ (event.currentTarget), t("action.more"), [
        mayInvite(group) && { label: t("people.invite"), icon: "user-plus", run: () => void invite(group) },
        isOwner(group) && { label: t("people.transfer"), icon: "crown", run: () => void transfer(group) },
        !isOwner(group) && { label: t("people.leave"), icon: "log-out", danger: true, run: () => void leave(group) },
        isOwner(group) && { label: t("people.dissolve"), icon: "trash-2", danger: true, run: () => void dissolve(group) },
      ]);
    return html`<button class="icon-button" aria-haspopup="menu" aria-label=${t("people.more_about", { name: group.name })} @click=${open}>${icon("ellipsis-vertical")}</button>`;
  }
}

customElements.define("myim-group-profile", GroupProfile);
