/** @import { Message } from "../../types.js" */
import { describe, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { nameOf, userOf } from "../../state/conversations.js";
import { openDialog } from "../../ui/dialog.js";
import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";

/** Shows who has read a message of a group. @param {Message} message */
export function openReadersDialog(message) {
  void openDialog({
    title: t("chat.readers"),
    classes: "small",
    content: () => html`<myim-readers .message=${message}></myim-readers>`,
  });
}

/** Who has read a message. */
export class Readers extends Element {
  static properties = { message: { attribute: false }, readers: { state: true }, failure: { state: true } };

  select = (/** @type {import("../../types.js").State} */ { users, contacts, members }) => ({ users, contacts, members });

  constructor() {
    super();
    /** @type {Message | null} */
    this.message = null;
    /** @type {{count: number, users: string[]} | null} */
    this.readers = null;
    /** @type {unknown} */
    this.failure = null;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  async #load() {
    const { message } = this;
    try {
      if (message) this.readers = await app.client?.api.readers(message.conversation, message.seq);
    } catch (error) {
      this.failure = error;
    }
    for (const id of this.readers?.users ?? []) app.client?.people.need(id);
  }

  render() {
    const { readers, message } = this;
    const { state } = app.store;
    if (this.failure) return html`<p class="note error" role="alert">${describe(this.failure)}</p>`;
    if (!readers) return html`<p class="muted" role="status">${t("app.loading")}</p>`;
    const group = state.conversations.get(message?.conversation ?? "")?.group?.id;
    const more = readers.count - readers.users.length;
    return html`
      <p class="muted" role="status">${t("chat.read_by", { count: readers.count })}</p>
      <ul class="reader-list">
        ${readers.users.map(
          (id) => html`<li class="reader">
            <myim-avatar .name=${nameOf(state, id, group)} .number=${id} .picture=${userOf(state, id)?.avatar ?? ""} .size=${32}></myim-avatar>
            <bdi class="ellipsis">${nameOf(state, id, group)}</bdi>
          </li>`,
        )}
        ${more > 0 ? html`<li class="muted">${t("chat.and_more", { count: more })}</li>` : ""}
      </ul>
    `;
  }
}

customElements.define("myim-readers", Readers);
