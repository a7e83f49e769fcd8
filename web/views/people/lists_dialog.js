import { t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { attempt } from "../../ui/attempt.js";
import { ask, confirm, openDialog } from "../../ui/dialog.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";
import { isDefaultList, listName } from "./contact_actions.js";

/** In UTF-16 units, which is what fields count. */
const NAME_MAX = 32;

/** Where the lists of contacts are made, renamed and removed. */
export function openLists() {
  return openDialog({
    title: t("people.manage_lists"),
    classes: "small",
    content: (close) => html`
      <myim-contact-lists></myim-contact-lists>
      <footer class="dialog-foot"><button class="button primary" @click=${() => close()}>${t("action.done")}</button></footer>
    `,
  });
}

class ContactLists extends Element {
  select = (/** @type {import("../../types.js").State} */ { contactLists, contacts }) => ({ contactLists, contacts });

  render() {
    const { contactLists, contacts } = this.seen;
    return html`
      <ul class="plain-list">
        ${contactLists.map((/** @type {string} */ name) => {
          const count = [...contacts.values()].filter(({ list }) => list === name).length;
          return html`<li>
            <span class="ellipsis"><bdi>${listName(name)}</bdi> <span class="muted">${count}</span></span>
            ${isDefaultList(name)
              ? nothing
              : html`<button class="icon-button" aria-label=${t("people.rename_list", { name })} @click=${() => rename(name)}>${icon("pencil")}</button>
                  <button class="icon-button" aria-label=${t("people.remove_list", { name })} @click=${() => remove(name)}>${icon("trash-2")}</button>`}
          </li>`;
        })}
      </ul>
      <button class="button wide" @click=${add}>${icon("plus")}${t("people.add_list")}</button>
    `;
  }
}

async function add() {
  const name = await ask({ title: t("people.add_list"), label: t("people.list_name"), action: t("people.add_list"), maxLength: NAME_MAX, required: true });
  if (name) await attempt(async () => app.client?.people.addList(name));
}

/** @param {string} name */
async function rename(name) {
  const title = t("people.rename_list", { name });
  const to = await ask({ title, label: t("people.list_name"), value: name, action: t("action.save"), maxLength: NAME_MAX, required: true });
  if (to && to !== name) await attempt(async () => app.client?.people.renameList(name, to));
}

/** @param {string} name */
async function remove(name) {
  const sure = await confirm({
    title: t("people.remove_list", { name }),
    text: t("people.remove_list_text", { list: t("people.default_list") }),
    action: t("action.delete"),
    danger: true,
  });
  if (sure) await attempt(async () => app.client?.people.removeList(name));
}

customElements.define("myim-contact-lists", ContactLists);
