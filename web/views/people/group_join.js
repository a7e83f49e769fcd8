/** @import { Group } from "../../types.js" */
import { describe, t } from "../../i18n/index.js";
import { freshId } from "../../net/ids.js";
import { app } from "../../state/app.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { openChatOf } from "../chats/open_chat.js";
import { limitBytes } from "./byte_limit.js";

const NOTE_BYTES_MAX = 255;

/** How one becomes a member of a group that one is not in. */
export class GroupJoin extends Element {
  static properties = { group: { attribute: false }, asked: { state: true }, busy: { state: true }, failure: { state: true } };

  constructor() {
    super();
    this.group = /** @type {Group} */ (/** @type {unknown} */ (null));
    this.asked = false;
    this.busy = false;
    /** @type {unknown} */
    this.failure = null;
  }

  render() {
    const { join } = this.group;
    if (join === "closed") return html`<p class="note">${icon("lock")}${t("people.join_closed_long")}</p>`;
    if (this.asked) return html`<p class="note good" role="status">${icon("check")}${t("people.join_asked")}</p>`;
    return html`<form class="find-form" @submit=${this.#submit}>
      ${join === "approval"
        ? html`<label class="field">
            <span class="field-label">${t("people.join_note")}</span>
            <input class="input" name="note" maxlength=${NOTE_BYTES_MAX} autocomplete="off" @input=${limitBytes(NOTE_BYTES_MAX)} />
          </label>`
        : nothing}
      <button class="button primary" ?disabled=${this.busy}>${t(join === "open" ? "people.join_now" : "people.join_ask")}</button>
      <div role="alert">${this.failure ? html`<p class="note error">${describe(this.failure)}</p>` : nothing}</div>
    </form>`;
  }

  /** @param {SubmitEvent} event */
  #submit = async (event) => {
    event.preventDefault();
    const note = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("note") ?? "").trim();
    const { id } = this.group;
    this.busy = true;
    this.failure = null;
    try {
      const wish = { note: note || undefined, client_id: freshId() };
      const outcome = await app.client?.groups.act(id, (api) => api.joinGroup(id, wish));
      this.asked = outcome?.status === "requested";
      if (outcome?.status === "joined") await openChatOf(id);
    } catch (error) {
      this.failure = error;
    } finally {
      this.busy = false;
    }
  };
}

customElements.define("myim-group-join", GroupJoin);
