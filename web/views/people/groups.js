/** @import { Conversation } from "../../types.js" */
import { currentLanguage, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { matcher } from "../../state/matching.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import "../../ui/rows.js";
import { openCreateGroup } from "./create_group_dialog.js";
import { detail } from "./detail.js";

/** The groups that one is in. */
export class Groups extends Element {
  static properties = { query: { state: true } };

  select = (/** @type {import("../../types.js").State} */ { conversations, conversationsLoaded }) => ({ conversations, conversationsLoaded });

  constructor() {
    super();
    this.query = "";
  }

  render() {
    const { compare } = new Intl.Collator(currentLanguage(), { numeric: true });
    const fits = matcher(this.query);
    const all = /** @type {Conversation[]} */ ([...this.seen.conversations.values()]).filter(({ group }) => group);
    const found = all.filter(({ group }) => fits(group?.name, group?.id)).sort((a, b) => compare(a.group?.name ?? "", b.group?.name ?? ""));
    const content = html`
      <div class="people-actions">
        <button class="button primary" @click=${() => openCreateGroup()}>${icon("plus")}${t("people.new_group")}</button>
        <a class="button" href="${href("people", "find")}?what=groups">${icon("hash")}${t("new_chat.join")}</a>
      </div>
      ${all.length > 8
        ? html`<input
            class="input"
            type="search"
            aria-label=${t("people.filter_groups")}
            placeholder=${t("people.filter_groups")}
            @input=${(/** @type {InputEvent} */ event) => (this.query = /** @type {HTMLInputElement} */ (event.target).value)}
          />`
        : ""}
      ${all.length === 0 && app.store.state.conversationsLoaded ? html`<p class="note">${t("people.no_groups")}</p>` : ""}
      <myim-rows
        class="framed"
        .label=${t("people.groups")}
        .items=${found}
        .key=${idOf}
        .height=${tall}
        .draw=${row}
      ></myim-rows>
    `;
    return detail(t("people.groups"), content);
  }
}

/** @param {Conversation} conversation @param {0 | -1} tabindex */
function row({ group }, tabindex) {
  if (!group) return "";
  return html`<a class="row" href=${href("people", "group", group.id)} tabindex=${tabindex}>
    <myim-avatar .name=${group.name} .number=${group.id} .picture=${group.avatar ?? ""} .size=${40}></myim-avatar>
    <span class="row-text">
      <bdi class="row-name ellipsis">${group.name}</bdi>
      <span class="row-last">${t("people.member_count", { count: group.members })}</span>
    </span>
  </a>`;
}

/** @param {Conversation} conversation */
function idOf({ id }) {
  return id;
}

function tall() {
  return 3.75;
}

customElements.define("myim-groups", Groups);
