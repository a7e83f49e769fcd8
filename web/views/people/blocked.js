/** @import { User } from "../../types.js" */
import { t } from "../../i18n/index.js";
import { href } from "../../state/router.js";
import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { unblock } from "./contact_actions.js";
import { detail } from "./detail.js";

/** Whom one does not want to hear from. */
export class Blocked extends Element {
  select = (/** @type {import("../../types.js").State} */ { blocks }) => ({ blocks });

  render() {
    const users = /** @type {User[]} */ ([...this.seen.blocks.values()]);
    const content = html`
      <p class="muted">${t("people.blocked_hint")}</p>
      ${users.length ? "" : html`<p class="note">${t("people.nobody_blocked")}</p>`}
      <ul class="people-cards">
        ${users.map((user) => {
          const name = user.nickname || user.username;
          return html`<li class="person-card">
            <myim-avatar .name=${name} .number=${user.id} .picture=${user.avatar} .size=${44}></myim-avatar>
            <div class="person-text">
              <a class="person-name" href=${href("people", "user", user.id)}><bdi>${name}</bdi></a>
              <span class="muted">@<bdi>${user.username}</bdi></span>
            </div>
            <div class="person-actions">
              <button class="button" aria-label=${t("people.unblock_who", { name })} @click=${() => unblock(user)}>${t("people.unblock")}</button>
            </div>
          </li>`;
        })}
      </ul>
    `;
    return detail(t("people.blocked"), content);
  }
}

customElements.define("myim-blocked", Blocked);
