import { describe, formatAgo, formatFull, formatWhen, t } from "../../i18n/index.js";
import { confirm, openDialog } from "../../ui/dialog.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html, nothing } from "../../vendor/lit.js";
import { admin } from "./admin_api.js";
import { Paged } from "./paged.js";
import { copyField } from "./shown_once.js";
import { tag } from "./tag.js";

/** @typedef {{code: string, created_by: string, created_at: string, expires_at: string | null, uses_max: number | null, uses: number, note: string, usable: boolean}} Invite */

const DAY_MS = 86_400_000;
/** For how many days an invitation is good; 0 for ever. */
const DAYS = [1, 7, 30, 0];

/**
 * Invitations to make an account.
 * @extends {Paged<Invite>}
 */
export class AdminInvites extends Paged {
  static properties = { ...Paged.properties, making: { state: true } };

  path = "/invites";

  select = (/** @type {import("../../types.js").State} */ { server }) => ({ server });

  constructor() {
    super();
    this.making = false;
  }

  render() {
    const registration = this.seen.server?.registration;
    return html`
      ${registration && registration !== "invite" ? html`<p class="note">${icon("info")}<span>${t(`admin.invites.registration.${registration}`)}</span></p>` : nothing}
      <form class="card form" @submit=${this.#make}>
        <h2>${t("admin.invites.make")}</h2>
        <div class="form-row">
          <label class="field">
            <span class="field-label">${t("admin.invites.uses")}</span>
            <input class="input" name="uses" type="number" min="1" max="100000" inputmode="numeric" value="1" />
          </label>
          <label class="field">
            <span class="field-label">${t("admin.invites.days")}</span>
            <select class="input" name="days">
              ${DAYS.map((days) => html`<option value=${days} ?selected=${days === 7}>${days ? t("admin.invites.for_days", { count: days }) : t("admin.invites.for_ever")}</option>`)}
            </select>
          </label>
        </div>
        <label class="field">
          <span class="field-label">${t("admin.invites.note")}</span>
          <input class="input" name="note" maxlength="85" dir="auto" autocomplete="off" />
        </label>
        <p class="field-hint">${t("admin.invites.uses_hint")}</p>
        <div class="form-foot"><button class="button primary" ?disabled=${this.making}>${icon("plus")}${t("admin.invites.make")}</button></div>
      </form>
      ${this.list(({ code }) => code, (invite) => this.#invite(invite), t("admin.invites.none"))}
    `;
  }

  /** @param {Invite} invite */
  #invite(invite) {
    const { code, uses, uses_max, expires_at, note, usable, created_at } = invite;
    return html`<li class="item wrap">
      <span class="item-text">
        <strong>${note ? html`<bdi>${note}</bdi>` : html`<span class="mono">${code}</span>`} ${usable ? nothing : tag(t("admin.invites.unusable"))}</strong>
        <span class="muted">
          ${uses_max === null ? t("admin.invites.used", { count: uses }) : t("admin.invites.used_of", { uses, count: uses_max })}
          <span class="dot-between">${expires_at ? t("admin.invites.until", { time: formatWhen(expires_at) }) : t("admin.invites.no_end")}</span>
          <span class="dot-between" title=${formatFull(created_at)}>${t("admin.invites.made", { time: formatAgo(created_at) })}</span>
        </span>
      </span>
      <span class="buttons">
        ${usable ? html`<button class="button" @click=${() => show(code)}>${icon("link")}${t("admin.invites.link")}</button>` : nothing}
        <button class="icon-button" aria-label=${t("admin.invites.revoke_label", { name: note || code })} title=${t("admin.invites.revoke")} @click=${() => this.#revoke(invite)}>${icon("trash-2")}</button>
      </span>
    </li>`;
  }

  /** @param {SubmitEvent} event */
  async #make(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const data = new FormData(form);
    const uses = Number(data.get("uses"));
    const days = Number(data.get("days"));
    this.making = true;
    try {
      const { code } = await admin().post("/invites", {
        uses_max: uses || undefined,
        expires_at: days ? new Date(Date.now() + days * DAY_MS).toISOString() : undefined,
        note: String(data.get("note")).trim() || undefined,
      });
      form.reset();
      void this.load();
      await show(code);
    } catch (error) {
      toast(describe(error), "error");
    } finally {
      this.making = false;
    }
  }

  /** @param {Invite} invite */
  async #revoke({ code, note }) {
    const sure = await confirm({
      title: t("admin.invites.revoke_title", { name: note || code }),
      text: t("admin.invites.revoke_text"),
      action: t("admin.invites.revoke"),
      danger: true,
    });
    if (!sure) return;
    try {
      await admin().remove(`/invites/${encodeURIComponent(code)}`);
      this.alter((invites) => invites.filter((invite) => invite.code !== code));
    } catch (error) {
      toast(describe(error), "error");
    }
  }
}

/** Shows the link that somebody follows to make an account. @param {string} code */
function show(code) {
  return openDialog({
    title: t("admin.invites.link_title"),
    content: (/** @type {(result?: void) => void} */ close) => html`
      <p class="dialog-text">${t("admin.invites.link_text")}</p>
      ${copyField(t("admin.invites.link"), `${location.origin}/#/join/${encodeURIComponent(code)}`)}
      <footer class="dialog-foot"><button class="button primary" @click=${() => close()}>${t("action.done")}</button></footer>
    `,
  });
}

customElements.define("myim-admin-invites", AdminInvites);
