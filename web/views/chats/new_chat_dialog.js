/** @import { Contact } from "../../types.js" */
import { currentLanguage, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { contactName, findContacts } from "../../state/matching.js";
import { go, href } from "../../state/router.js";
import { openDialog } from "../../ui/dialog.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { openPart } from "../../ui/open_part.js";
import { html } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import "../../ui/rows.js";
import { createGroup } from "../parts.js";
import { openChatWith } from "./open_chat.js";

const ROW_REM = 3.5;

/** Asks with whom to talk, and opens the conversation. */
export async function openNewChat() {
  /** @type {(() => void) | undefined} */
  const next = await openDialog({
    title: t("new_chat.title"),
    classes: "tall",
    content: (/** @type {(run?: () => void) => void} */ close) => html`<myim-new-chat .chosen=${close}></myim-new-chat>`,
  });
  next?.();
}

/** Contacts to choose one of, and the ways to others. */
class NewChat extends Element {
  static properties = { chosen: { attribute: false }, query: { state: true } };

  select = (/** @type {import("../../types.js").State} */ { contacts, presence }) => ({ contacts, presence });

  constructor() {
    super();
    /** What to do when the dialog is closed. @type {(run: () => void) => void} */
    this.chosen = () => {};
    this.query = "";
  }

  render() {
    const { contacts, presence } = this.seen;
    const found = findContacts(app.store.state, this.query, currentLanguage());
    app.client?.presence.need(found.map(({ user }) => user.id));
    return html`
      <input
        class="input"
        type="search"
        autocomplete="off"
        autofocus
        aria-label=${t("new_chat.filter")}
        placeholder=${t("new_chat.filter")}
        @input=${(/** @type {InputEvent} */ event) => (this.query = /** @type {HTMLInputElement} */ (event.target).value)}
        @keydown=${(/** @type {KeyboardEvent} */ event) => {
          const first = found[0];
          if (event.key === "ArrowDown") {
            event.preventDefault();
            /** @type {any} */ (this.querySelector("myim-rows"))?.focusFirst();
          } else if (event.key === "Enter" && !event.isComposing && this.query.trim() && first) {
            this.chosen(() => void openChatWith(first.user.id));
          }
        }}
      />
      <div class="ways">
        <button class="button" @click=${() => this.chosen(() => void newGroup())}>${icon("users")}${t("new_chat.group")}</button>
        <button class="button" @click=${() => this.chosen(() => go(href("people", "find")))}>${icon("user-plus")}${t("new_chat.find")}</button>
        <button class="button" @click=${() => this.chosen(() => go(`${href("people", "find")}?what=groups`))}>${icon("hash")}${t("new_chat.join")}</button>
      </div>
      ${found.length
        ? html`<myim-rows
            class="scroller"
            .label=${t("new_chat.contacts")}
            .items=${found}
            .key=${(/** @type {Contact} */ { user }) => user.id}
            .height=${() => ROW_REM}
            .draw=${(/** @type {Contact} */ contact, /** @type {0 | -1} */ tabindex) => html`<button
              class="row low"
              tabindex=${tabindex}
              @click=${() => this.chosen(() => void openChatWith(contact.user.id))}
            >
              <myim-avatar
                .name=${contactName(app.store.state, contact)}
                .number=${contact.user.id}
                .picture=${contact.user.avatar}
                .status=${presence.get(contact.user.id)?.status ?? ""}
                .size=${36}
              ></myim-avatar>
              <bdi class="row-name ellipsis">${contactName(app.store.state, contact)}</bdi>
            </button>`}
          ></myim-rows>`
        : html`<p class="empty">${t(contacts.size ? "new_chat.no_match" : "new_chat.none")}</p>`}
    `;
  }
}

async function newGroup() {
  await (await openPart(createGroup))?.openCreateGroup();
}

customElements.define("myim-new-chat", NewChat);
