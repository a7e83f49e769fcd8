import { describe, t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { app } from "../../state/app.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { openPart } from "../../ui/open_part.js";
import { toast } from "../../ui/toast.js";
import { html, live, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { guardLeaving } from "../leaving.js";
import { avatarCrop } from "../parts.js";

/** Texts of a profile, and how many bytes the server keeps of each. */
const TEXTS = /** @type {const} */ ([
  { name: "nickname", bytes: 63, autocomplete: "name", required: true },
  { name: "signature", bytes: 255, autocomplete: "off" },
  { name: "phone", bytes: 31, type: "tel", autocomplete: "tel", own: true },
  { name: "mail", bytes: 47, type: "email", autocomplete: "email", own: true },
  { name: "address", bytes: 63, autocomplete: "street-address", own: true },
]);

/** How others see the user, and what is kept beside it. */
export class ProfileSettings extends Element {
  static properties = { changed: { state: true }, busy: { state: true }, failure: { state: true } };

  select = (/** @type {import("../../types.js").State} */ { me }) => ({ me });

  constructor() {
    super();
    /** What was typed and is not saved. @type {Record<string, string>} */
    this.changed = {};
    this.busy = false;
    /** @type {Problem | null} */
    this.failure = null;
  }

  connectedCallback() {
    super.connectedCallback();
    guardLeaving({
      unsaved: () => Object.keys(this.changed).length > 0,
      discard: () => (this.changed = {}),
      signal: this.lifetime.signal,
    });
  }

  render() {
    const { me } = this.seen;
    if (!me) return html`<p class="empty">${t("app.loading")}</p>`;
    const dirty = Object.keys(this.changed).length > 0;
    const tooLong = TEXTS.some((field) => this.#over(field) > 0);
    return html`
      <div class="card profile-head">
        <myim-avatar .name=${me.nickname || me.username} .number=${me.id} .picture=${me.avatar} .size=${80}></myim-avatar>
        <div class="profile-names">
          <strong>${me.nickname || me.username}</strong>
          <span class="muted">${t("settings.profile.username", { name: me.username, id: me.id })}</span>
          <button type="button" class="button" @click=${this.#chooseAvatar}>${icon("camera")}${t("settings.profile.avatar")}</button>
        </div>
      </div>
      <form class="card form" @submit=${this.#submit}>
        ${TEXTS.filter((field) => !("own" in field)).map((field) => this.#text(field))} ${this.#gender()}
        <h2 class="form-part">${t("settings.profile.own")}</h2>
        <p class="field-hint">${t("settings.profile.own_hint")}</p>
        ${this.#birthday()} ${TEXTS.filter((field) => "own" in field).map((field) => this.#text(field))}
        <div role="alert">${this.failure ? html`<p class="note error">${icon("circle-alert")}${describe(this.failure)}</p>` : nothing}</div>
        <div class="form-foot">
          <span class="field-hint" role="status">${dirty ? t("settings.unsaved") : ""}</span>
          ${dirty ? html`<button type="button" class="button" @click=${() => (this.changed = {})}>${t("settings.revert")}</button>` : nothing}
          <button class="button primary" ?disabled=${!dirty || this.busy || tooLong}>
            ${this.busy ? icon("loader-circle", "spin") : nothing}${t("action.save")}
          </button>
        </div>
      </form>
    `;
  }

  /** @param {typeof TEXTS[number]} field */
  #text(field) {
    const { name } = field;
    const over = this.#over(field);
    return html`<div class="field">
      <label class="field-label" for="profile-${name}">${t(`settings.profile.${name}`)}</label>
      <input
        class="input"
        id="profile-${name}"
        name=${name}
        dir="auto"
        type=${"type" in field ? field.type : "text"}
        autocomplete=${field.autocomplete}
        ?required=${"required" in field}
        aria-invalid=${over > 0 ? "true" : nothing}
        aria-describedby="profile-${name}-error"
        .value=${live(this.#value(name))}
        @input=${this.#typed}
      />
      <span class="field-error" id="profile-${name}-error" role="status">${over > 0 ? t("settings.too_long", { count: over }) : nothing}</span>
    </div>`;
  }

  #gender() {
    const value = this.#value("gender");
    return html`<fieldset class="field">
      <legend class="field-label">${t("settings.profile.gender")}</legend>
      <div class="choices-row">
        ${["0", "1"].map(
          (one) => html`<label class="choice">
            <input type="radio" name="gender" .value=${one} .checked=${live(value === one)} @change=${this.#typed} />
            <span>${t(`settings.profile.gender.${one}`)}</span>
          </label>`,
        )}
      </div>
    </fieldset>`;
  }

  #birthday() {
    const { me } = this.seen;
    return html`<div class="field">
      <label class="field-label" for="profile-birthday">${t("settings.profile.birthday")}</label>
      <input
        class="input"
        id="profile-birthday"
        name="birthday"
        type="date"
        min="0001-01-01"
        max="9999-12-31"
        autocomplete="bday"
        ?required=${Boolean(me.birthday)}
        .value=${live(this.#value("birthday"))}
        @input=${this.#typed}
      />
    </div>`;
  }

  /** @param {string} name */
  #value(name) {
    return this.changed[name] ?? String(this.seen.me?.[name] ?? "");
  }

  /** How many bytes too many there are. @param {{name: string, bytes: number}} field */
  #over({ name, bytes }) {
    return new TextEncoder().encode(this.#value(name).trim()).length - bytes;
  }

  /** @param {Event} event */
  #typed(event) {
    const { name, value } = /** @type {HTMLInputElement} */ (event.target);
    const { [name]: _, ...others } = this.changed;
    const same = value === String(this.seen.me?.[name] ?? "");
    this.changed = same ? others : { ...others, [name]: value };
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    /** @type {Record<string, string | number>} */
    const change = {};
    for (const [name, value] of Object.entries(this.changed)) change[name] = name === "gender" ? Number(value) : value.trim();
    this.busy = true;
    this.failure = null;
    try {
      await app.client?.people.changeMe(change);
      this.changed = {};
      toast(t("settings.saved"));
    } catch (error) {
      this.failure = Problem.of(error);
    } finally {
      this.busy = false;
    }
  }

  async #chooseAvatar() {
    try {
      const avatar = await (await openPart(avatarCrop))?.chooseAvatar();
      if (avatar) await app.client?.people.changeMe({ avatar });
    } catch (error) {
      toast(describe(error), "error");
    }
  }
}

customElements.define("myim-profile-settings", ProfileSettings);
