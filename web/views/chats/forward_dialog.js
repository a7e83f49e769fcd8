/** @import { Conversation, Message } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { sorted, titleOf } from "../../state/conversations.js";
import { attempt } from "../../ui/attempt.js";
import { openDialog } from "../../ui/dialog.js";
import { Element } from "../../ui/element.js";
import { html, nothing } from "../../vendor/lit.js";
import { messageLine } from "./message_line.js";

/** At most so many conversations get a message at once. */
const CHOSEN_MAX = 20;

/** Asks where to a message is passed on, and sends it there. @param {Message} message */
export async function openForwardDialog(message) {
  /** @type {string[] | undefined} */
  const chosen = await openDialog({
    title: t("chat.forward_title"),
    content: (close) => html`<myim-forward .message=${message} .done=${close}></myim-forward>`,
  });
  const { client } = app;
  if (!chosen || !client) return;
  const { conversation, seq, segments } = message;
  await attempt(
    () => Promise.all(chosen.map((to) => client.send(to, segments, { forward: { conversation, seq } }))),
    t("chat.forwarded_to", { count: chosen.length }),
  );
}

/** Conversations to choose from. */
export class Forward extends Element {
  static properties = { message: { attribute: false }, done: { attribute: false }, filter: { state: true }, chosen: { state: true } };

  select = (/** @type {import("../../types.js").State} */ { conversations, contacts }) => ({ conversations, contacts });

  constructor() {
    super();
    /** @type {Message | null} */
    this.message = null;
    /** @type {(chosen?: string[]) => void} */
    this.done = () => {};
    this.filter = "";
    /** @type {Set<string>} */
    this.chosen = new Set();
  }

  render() {
    const { state } = app.store;
    const wanted = this.filter.trim().toLocaleLowerCase();
    const found = sorted(state.conversations).filter((one) => titleOf(state, one).toLocaleLowerCase().includes(wanted));
    return html`
      ${this.message ? html`<p class="forward-what ellipsis"><bdi>${messageLine(state, this.message)}</bdi></p>` : nothing}
      <input
        class="input"
        type="search"
        aria-label=${t("chat.forward_filter")}
        placeholder=${t("chat.forward_filter")}
        autofocus
        @input=${(/** @type {InputEvent} */ event) => (this.filter = /** @type {HTMLInputElement} */ (event.target).value)}
      />
      <ul class="forward-list" aria-label=${t("lists.label")}>
        ${found.map((one) => this.#row(one, titleOf(state, one)))}
      </ul>
      ${found.length === 0 ? html`<p class="muted" role="status">${t("chat.forward_none")}</p>` : nothing}
      <footer class="dialog-foot">
        <button class="button" @click=${() => this.done()}>${t("action.cancel")}</button>
        <button class="button primary" ?disabled=${this.chosen.size === 0} @click=${() => this.done([...this.chosen])}>
          ${this.chosen.size > 1 ? t("chat.forward_count", { count: this.chosen.size }) : t("chat.forward")}
        </button>
      </footer>
    `;
  }

  /** @param {Conversation} one @param {string} name */
  #row({ id, group, peer }, name) {
    const chosen = this.chosen.has(id);
    return html`<li>
      <label class="forward-to">
        <input type="checkbox" .checked=${chosen} ?disabled=${!chosen && this.chosen.size >= CHOSEN_MAX} @change=${() => this.#turn(id)} />
        <myim-avatar .name=${name} .number=${group?.id ?? peer?.id ?? "0"} .picture=${group?.avatar ?? peer?.avatar ?? ""} .size=${36}></myim-avatar>
        <bdi class="ellipsis">${name}</bdi>
      </label>
    </li>`;
  }

  /** @param {string} id */
  #turn(id) {
    const chosen = new Set(this.chosen);
    if (!chosen.delete(id)) chosen.add(id);
    this.chosen = chosen;
  }
}

customElements.define("myim-forward", Forward);
