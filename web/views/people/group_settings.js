/** @import { Group, State } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { isOwner, mayManage } from "../../state/group_rights.js";
import { href } from "../../state/router.js";
import { toast } from "../../ui/toast.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { openPart } from "../../ui/open_part.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { avatarCrop } from "../parts.js";
import { limitBytes } from "./byte_limit.js";
import { NAME_BYTES_MAX } from "./create_group_dialog.js";
import { detail } from "./detail.js";
import { changeGroup, dissolve, transfer } from "./group_actions.js";

/** Name, picture and rules of a group, for its owner and admins. */
export class GroupSettings extends Element {
  static properties = { groupId: {}, busy: { state: true } };

  select = (/** @type {State} */ { groups }) => ({ group: groups.get(this.groupId) });

  constructor() {
    super();
    this.groupId = "";
    this.busy = false;
  }

  firstUpdated() {
    app.client?.groups.need(this.groupId);
  }

  render() {
    const group = /** @type {Group | undefined} */ (this.seen.group);
    const content = !group
      ? html`<p class="empty">${t("app.loading")}</p>`
      : mayManage(group)
        ? this.#form(group)
        : html`<p class="note">${t("error.not_allowed")}</p>`;
    return detail(t("people.group_settings"), content, { back: href("people", "group", this.groupId) });
  }

  /** @param {Group} group */
  #form(group) {
    return html`
      <div class="portrait">
        <myim-avatar .name=${group.name} .number=${group.id} .picture=${group.avatar ?? ""} .size=${112}></myim-avatar>
        <div class="people-actions">
          <button class="button" ?disabled=${this.busy} @click=${() => this.#picture(group)}>${icon("camera")}${t("people.change_picture")}</button>
          ${group.avatar
            ? html`<button class="button" ?disabled=${this.busy} @click=${() => this.#save(group, { avatar: "" })}>${t("people.remove_picture")}</button>`
            : nothing}
        </div>
      </div>
      <form class="people-block people-form" @submit=${(/** @type {SubmitEvent} */ event) => this.#submit(event, group)}>
        <label class="field">
          <span class="field-label">${t("people.group_name")}</span>
          <input class="input" name="name" required maxlength=${NAME_BYTES_MAX} autocomplete="off" .value=${group.name} @input=${limitBytes(NAME_BYTES_MAX)} />
        </label>
        ${radios("join", t("people.join_policy"), ["open", "approval", "closed"], group.join)}
        ${radios("invite", t("people.invite_policy"), ["members", "admins"], group.invite)}
        <fieldset>
          <legend class="field-label">${t("people.writing")}</legend>
          <label class="check"><input type="checkbox" name="muted" ?checked=${group.muted} />${t("people.mute_all")}</label>
        </fieldset>
        <div class="people-actions"><button class="button primary" ?disabled=${this.busy}>${t("action.save")}</button></div>
      </form>
      ${isOwner(group)
        ? html`<section class="people-block" aria-labelledby="group-danger">
            <h3 id="group-danger">${t("people.danger")}</h3>
            <div class="people-actions">
              <button class="button" @click=${() => transfer(group)}>${icon("crown")}${t("people.transfer")}</button>
              <button class="button danger" @click=${() => dissolve(group)}>${icon("trash-2")}${t("people.dissolve")}</button>
            </div>
          </section>`
        : nothing}
    `;
  }

  /** @param {SubmitEvent} event @param {Group} group */
  async #submit(event, group) {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const wanted = { name: String(data.get("name")).trim(), join: data.get("join"), invite: data.get("invite"), muted: data.get("muted") !== null };
    // What another admin changed meanwhile stays, if it was not touched here.
    const change = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value !== group[/** @type {keyof typeof wanted} */ (name)]));
    if (Object.keys(change).length) await this.#save(group, change);
    else toast(t("people.saved"));
  }

  /** @param {Group} group */
  async #picture(group) {
    const avatar = await (await openPart(avatarCrop))?.chooseAvatar();
    if (avatar) await this.#save(group, { avatar });
  }

  /** @param {Group} group @param {object} change */
  async #save(group, change) {
    this.busy = true;
    if (await changeGroup(group, change)) toast(t("people.saved"));
    this.busy = false;
  }
}

/**
 * @param {"join" | "invite"} name
 * @param {string} label
 * @param {string[]} values
 * @param {string} value
 */
function radios(name, label, values, value) {
  return html`<fieldset>
    <legend class="field-label">${label}</legend>
    ${values.map(
      (one) => html`<label class="check"><input type="radio" name=${name} value=${one} ?checked=${one === value} />${t(`people.${name}.${one}`)}</label>`,
    )}
  </fieldset>`;
}

customElements.define("myim-group-settings", GroupSettings);
