/** @import { Group } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { Problem } from "../../net/problem.js";
import { app } from "../../state/app.js";
import { nameOf } from "../../state/conversations.js";
import { go, href } from "../../state/router.js";
import { attempt } from "../../ui/attempt.js";
import { ask, confirm, openDialog } from "../../ui/dialog.js";
import { openPart } from "../../ui/open_part.js";
import { html } from "../../vendor/lit.js";
import { limitBytes } from "./byte_limit.js";
import { chooseMember } from "../parts.js";
import { NAME_BYTES_MAX, tellNotAdded } from "./create_group_dialog.js";
import "./member_picker.js";

const ANNOUNCEMENT_BYTES_MAX = 8192;

/** Asks for contacts, and makes them members. @param {Group} group */
export async function invite(group) {
  const members = new Set(app.store.state.members.get(group.id)?.map(({ user }) => user.id));
  /** @type {string[] | undefined} */
  const chosen = await openDialog({
    title: t("people.invite_to", { name: group.name }),
    classes: "tall",
    content: (close) => html`<form
      class="tall-form"
      @submit=${(/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const form = /** @type {HTMLFormElement} */ (event.target);
        close([.../** @type {any} */ (form.querySelector("myim-member-picker")).chosen]);
      }}
    >
      <myim-member-picker .left=${members}></myim-member-picker>
      <footer class="dialog-foot"><button class="button primary">${t("people.invite")}</button></footer>
    </form>`,
  });
  if (!chosen?.length) return;
  await attempt(async () => {
    /** @type {{user_id: string, code: string}[]} */
    const notAdded = [];
    await app.client?.groups.act(group.id, async (api) => {
      for (const user_id of chosen) {
        await api.addMember(group.id, user_id).catch((error) => {
          const problem = Problem.of(error);
          if (problem.passes) throw problem;
          notAdded.push({ user_id, code: problem.code });
        });
      }
    });
    if (notAdded.length) await tellNotAdded(notAdded);
  });
}

/** @param {Group} group */
export async function changeAnnouncement(group) {
  /** @type {string | undefined} */
  const text = await openDialog({
    title: t("people.announcement"),
    content: (close) => html`<form
      class="dialog-form"
      @submit=${(/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        close(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("text")).trim());
      }}
    >
      <label class="field">
        <span class="field-label">${t("people.announcement_label")}</span>
        <textarea class="input" name="text" rows="8" autofocus .value=${group.announcement} @input=${limitBytes(ANNOUNCEMENT_BYTES_MAX)}></textarea>
      </label>
      <footer class="dialog-foot">
        <button type="button" class="button" @click=${() => close()}>${t("action.cancel")}</button>
        <button class="button primary">${t("action.save")}</button>
      </footer>
    </form>`,
  });
  if (text !== undefined && text !== group.announcement) await changeGroup(group, { announcement: text });
}

/**
 * @param {Group} group
 * @param {object} change
 * @returns {Promise<boolean>} whether it worked
 */
export async function changeGroup(group, change) {
  const changed = await attempt(async () => {
    await app.client?.groups.act(group.id, (api) => api.changeGroup(group.id, change));
    return true;
  });
  return changed === true;
}

/** @param {Group} group */
export async function changeOwnNickname(group) {
  const me = app.store.state.me?.id ?? "";
  const nickname = await ask({
    title: t("people.own_nickname"),
    label: t("people.own_nickname_label"),
    value: group.nickname ?? "",
    action: t("action.save"),
    maxLength: NAME_BYTES_MAX,
  });
  if (nickname === undefined || nickname === (group.nickname ?? "")) return;
  await attempt(async () => app.client?.groups.act(group.id, (api) => api.changeMember(group.id, me, { nickname })));
}

/** Hands the group over. @param {Group} group */
export async function transfer(group) {
  const { state } = app.store;
  const others = (state.members.get(group.id) ?? []).filter(({ user }) => user.id !== state.me?.id);
  const heir = await (await openPart(chooseMember))?.chooseMember(t("people.transfer"), group.id, others);
  if (heir) await handOver(group, heir);
}

/** @param {Group} group @param {string} heir the number of the new owner */
export async function handOver(group, heir) {
  const name = nameOf(app.store.state, heir, group.id);
  const sure = await confirm({
    title: t("people.transfer"),
    text: t("people.transfer_text", { name, group: group.name }),
    action: t("people.transfer_to", { name }),
    danger: true,
  });
  if (sure) await attempt(async () => app.client?.groups.act(group.id, (api) => api.transferGroup(group.id, heir)));
}

/** @param {Group} group */
export async function leave(group) {
  const sure = await confirm({
    title: t("people.leave_title", { name: group.name }),
    text: t("people.leave_text"),
    action: t("people.leave"),
    danger: true,
  });
  const me = app.store.state.me?.id ?? "";
  if (sure) await end(group, (api) => api.removeMember(group.id, me), t("people.left", { name: group.name }));
}

/** @param {Group} group */
export async function dissolve(group) {
  const sure = await confirm({
    title: t("people.dissolve_title", { name: group.name }),
    text: t("people.dissolve_text"),
    action: t("people.dissolve"),
    danger: true,
  });
  if (sure) await end(group, (api) => api.dissolveGroup(group.id), t("people.dissolved", { name: group.name }));
}

/**
 * @param {Group} group
 * @param {(api: import("../../net/api.js").Api) => Promise<unknown>} work
 * @param {string} said
 */
async function end(group, work, said) {
  const ended = await attempt(async () => {
    await app.client?.groups.act(group.id, work);
    return true;
  }, said);
  if (ended) go(href("people"), { replace: true });
}
