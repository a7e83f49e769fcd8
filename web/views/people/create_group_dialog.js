import { describe, describeCode, t } from "../../i18n/index.js";
import { freshId } from "../../net/ids.js";
import { app } from "../../state/app.js";
import { nameOf } from "../../state/conversations.js";
import { openDialog } from "../../ui/dialog.js";
import { Element } from "../../ui/element.js";
import { html, nothing } from "../../vendor/lit.js";
import { openChatOf } from "../chats/open_chat.js";
import { limitBytes } from "./byte_limit.js";
import "./member_picker.js";

/** As many as the API takes at once; others are invited later. */
const MEMBERS_MAX = 500;
export const NAME_BYTES_MAX = 63;

/** @typedef {{user_id: string, code: string}} NotAdded */

/** Asks for a name and members, makes the group, and opens its conversation. */
export async function openCreateGroup() {
  /** @type {{id: string, notAdded: NotAdded[]} | undefined} */
  const made = await openDialog({
    title: t("people.new_group"),
    classes: "tall",
    content: (close) => html`<myim-create-group .done=${close}></myim-create-group>`,
  });
  if (!made) return;
  if (made.notAdded.length) await tellNotAdded(made.notAdded);
  await openChatOf(made.id);
}

/**
 * Says who could not be made a member, and why.
 * @param {NotAdded[]} notAdded
 */
export async function tellNotAdded(notAdded) {
  await openDialog({
    title: t("people.not_added"),
    classes: "small",
    content: (close) => html`
      <ul class="plain-list">
        ${notAdded.map(
          ({ user_id, code }) => html`<li><span><bdi class="row-name">${nameOf(app.store.state, user_id)}</bdi>: ${reason(code)}</span></li>`,
        )}
      </ul>
      <footer class="dialog-foot"><button class="button primary" autofocus @click=${() => close()}>${t("action.ok")}</button></footer>
    `,
  });
}

/** @param {string} code */
function reason(code) {
  const said = t(`people.not_added.${code}`);
  return said === `people.not_added.${code}` ? describeCode(code) : said;
}

class CreateGroup extends Element {
  static properties = { done: { attribute: false }, busy: { state: true }, failure: { state: true }, count: { state: true } };

  /** The same for every attempt, so that one that was answered too late makes no second group. */
  #clientId = freshId();

  constructor() {
    super();
    /** @type {(made: {id: string, notAdded: NotAdded[]}) => void} */
    this.done = () => {};
    this.busy = false;
    /** @type {unknown} */
    this.failure = null;
    this.count = 0;
  }

  render() {
    return html`<form class="tall-form" @submit=${this.#submit}>
      <label class="field">
        <span class="field-label">${t("people.group_name")}</span>
        <input class="input" name="name" required maxlength=${NAME_BYTES_MAX} autocomplete="off" autofocus @input=${limitBytes(NAME_BYTES_MAX)} />
      </label>
      <span class="field-label">${t("people.members")}</span>
      <myim-member-picker @picked=${(/** @type {Event} */ event) => (this.count = /** @type {any} */ (event.target).chosen.size)}></myim-member-picker>
      ${this.failure ? html`<p class="note error" role="alert">${describe(this.failure)}</p>` : nothing}
      <footer class="dialog-foot">
        <button class="button primary" ?disabled=${this.busy || this.count > MEMBERS_MAX}>
          ${this.count ? t("people.create_with", { count: this.count }) : t("people.create")}
        </button>
      </footer>
    </form>`;
  }

  /** @param {SubmitEvent} event */
  #submit = async (event) => {
    event.preventDefault();
    const { client } = app;
    if (!client) return;
    const name = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("name")).trim();
    const picker = /** @type {import("./member_picker.js").MemberPicker} */ (this.querySelector("myim-member-picker"));
    this.busy = true;
    this.failure = null;
    try {
      const { group, not_added } = await client.api.createGroup({ name, member_ids: [...picker.chosen], client_id: this.#clientId });
      this.done({ id: group.id, notAdded: not_added });
    } catch (error) {
      this.failure = error;
      // What is sent next may be something else.
      if (!(/** @type {any} */ (error).passes)) this.#clientId = freshId();
    } finally {
      this.busy = false;
    }
  };
}

customElements.define("myim-create-group", CreateGroup);
