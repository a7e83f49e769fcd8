/** @import { GroupMember } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { nameOf } from "../../state/conversations.js";
import { matcher } from "../../state/matching.js";
import { openDialog } from "../../ui/dialog.js";
import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import "../../ui/rows.js";

/**
 * Asks for one of the members of a group.
 * @param {string} title
 * @param {string} groupId
 * @param {GroupMember[]} members
 * @returns {Promise<string | undefined>} the number of the user
 */
export function chooseMember(title, groupId, members) {
  return openDialog({
    title,
    classes: "tall",
    content: (/** @type {(chosen?: string) => void} */ close) =>
      html`<myim-choose-member .groupId=${groupId} .members=${members} .chosen=${close}></myim-choose-member>`,
  });
}

class ChooseMember extends Element {
  static properties = { groupId: {}, members: { attribute: false }, chosen: { attribute: false }, query: { state: true } };

  constructor() {
    super();
    this.groupId = "";
    /** @type {GroupMember[]} */
    this.members = [];
    /** @type {(user: string) => void} */
    this.chosen = () => {};
    this.query = "";
  }

  render() {
    const fits = matcher(this.query);
    const name = (/** @type {GroupMember} */ { user }) => nameOf(app.store.state, user.id, this.groupId);
    const found = this.members.filter((one) => fits(name(one), one.user.nickname, one.user.username));
    return html`
      <input
        class="input"
        type="search"
        autofocus
        autocomplete="off"
        aria-label=${t("people.search_members")}
        placeholder=${t("people.search_members")}
        @input=${(/** @type {InputEvent} */ event) => (this.query = /** @type {HTMLInputElement} */ (event.target).value)}
      />
      ${found.length
        ? html`<myim-rows
            class="scroller"
            .label=${t("people.members")}
            .items=${found}
            .key=${(/** @type {GroupMember} */ { user }) => user.id}
            .height=${() => 3.25}
            .draw=${(/** @type {GroupMember} */ one, /** @type {0 | -1} */ tabindex) => html`<button
              class="row low"
              tabindex=${tabindex}
              @click=${() => this.chosen(one.user.id)}
            >
              <myim-avatar .name=${name(one)} .number=${one.user.id} .picture=${one.user.avatar} .size=${36}></myim-avatar>
              <bdi class="row-name ellipsis">${name(one)}</bdi>
            </button>`}
          ></myim-rows>`
        : html`<p class="empty">${t("people.no_match")}</p>`}
    `;
  }
}

customElements.define("myim-choose-member", ChooseMember);
