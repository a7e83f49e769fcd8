/** @import { Group, GroupMember, State } from "../../types.js" */
import { currentLanguage, formatFull, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { isMuted } from "../../state/group_rights.js";
import { matcher } from "../../state/matching.js";
import { toldApart } from "../../state/namesakes.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { onAsked } from "../../ui/long_press.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import "../../ui/rows.js";
import { openMemberMenu } from "./member_actions.js";

const ROW_REM = 3.5;
/** Owner and admins stand before the others. */
const ORDER = { owner: 0, admin: 1, member: 2 };

/** Who is in a group. */
export class GroupMembers extends Element {
  static properties = { group: { attribute: false }, members: { attribute: false }, query: { state: true } };

  select = (/** @type {State} */ { contacts, presence, users }) => ({ contacts, presence, users });

  /** @type {{from: GroupMember[] | null, contacts: unknown, sorted: GroupMember[]}} */
  #sorted = { from: null, contacts: null, sorted: [] };

  constructor() {
    super();
    this.group = /** @type {Group} */ (/** @type {unknown} */ (null));
    /** @type {GroupMember[]} */
    this.members = [];
    this.query = "";
  }

  connectedCallback() {
    super.connectedCallback();
    onAsked(this, this.lifetime.signal, (target, point) => {
      const row = /** @type {HTMLElement | null} */ (target.closest("[data-user]"));
      const member = this.members.find(({ user }) => user.id === row?.dataset.user);
      if (member) openMemberMenu(point, this.group, member);
      return Boolean(member);
    });
  }

  willUpdate() {
    const { contacts } = this.seen;
    if (this.#sorted.from === this.members && this.#sorted.contacts === contacts) return;
    const { compare } = new Intl.Collator(currentLanguage(), { numeric: true });
    const named = this.members.map((member) => ({ member, name: this.#name(member) }));
    named.sort((a, b) => ORDER[a.member.role] - ORDER[b.member.role] || compare(a.name, b.name));
    this.#sorted = { from: this.members, contacts, sorted: named.map(({ member }) => member) };
  }

  render() {
    const fits = matcher(this.query);
    const found = this.#sorted.sorted.filter((member) =>
      fits(this.#name(member), member.nickname, member.user.nickname, member.user.username, member.user.id),
    );
    return html`<section class="people-block" aria-labelledby="group-members">
      <h3 id="group-members">${t("people.members")} <span class="muted">${this.members.length}</span></h3>
      ${this.members.length > 8
        ? html`<input
            class="input"
            type="search"
            autocomplete="off"
            aria-label=${t("people.search_members")}
            placeholder=${t("people.search_members")}
            @input=${(/** @type {InputEvent} */ event) => (this.query = /** @type {HTMLInputElement} */ (event.target).value)}
          />`
        : nothing}
      ${found.length ? nothing : html`<p class="muted" role="status">${t("people.no_match")}</p>`}
      <myim-rows
        class="framed"
        .label=${t("people.members")}
        .items=${found}
        .key=${idOf}
        .height=${tall}
        .draw=${(/** @type {GroupMember} */ member, /** @type {0 | -1} */ tabindex) => this.#row(member, tabindex)}
      ></myim-rows>
    </section>`;
  }

  /** @param {GroupMember} member @param {0 | -1} tabindex */
  #row(member, tabindex) {
    const { user, role } = member;
    const name = this.#name(member);
    const own = user.id === app.store.state.me?.id;
    const status = own ? "" : (this.seen.presence.get(user.id)?.status ?? "");
    if (!own) app.client?.presence.need([user.id]);
    return html`<a class="row" href=${href("people", "user", user.id)} data-user=${user.id} tabindex=${tabindex}>
        <myim-avatar .name=${name} .number=${user.id} .picture=${user.avatar} .status=${status} .size=${36}></myim-avatar>
        <bdi class="row-name ellipsis">${name}</bdi>
        ${own ? html`<span class="muted">(${t("lists.you")})</span>` : nothing} ${user.bot ? html`<span class="people-tag">${t("people.bot")}</span>` : nothing}
        <span class="row-space"></span>
        ${isMuted(member)
          ? html`<span class="row-sign" title=${t("people.muted_until", { until: formatFull(member.muted_until ?? "") })}>
              ${icon("volume-x")}<span class="hidden-text">${t("people.muted_until", { until: formatFull(member.muted_until ?? "") })}</span>
            </span>`
          : nothing}
        ${role === "member" ? nothing : html`<span class="people-tag ${role}">${t(`people.role.${role}`)}</span>`}
      </a>
      <button
        class="icon-button row-more"
        tabindex=${tabindex}
        aria-haspopup="menu"
        aria-label=${t("people.more_about", { name })}
        @click=${(/** @type {Event} */ event) => openMemberMenu(/** @type {HTMLElement} */ (event.currentTarget), this.group, member)}
      >
        ${icon("ellipsis-vertical")}
      </button>`;
  }

  /** @param {GroupMember} member */
  #name({ user, nickname }) {
    // Not `nameOf` with the group, which looks the member up among thousands.
    const { contacts } = this.seen;
    return toldApart(contacts, user, contacts.get(user.id)?.remark || nickname || user.nickname || user.username);
  }
}

/** @param {GroupMember} member */
function idOf({ user }) {
  return user.id;
}

function tall() {
  return ROW_REM;
}

customElements.define("myim-group-members", GroupMembers);
