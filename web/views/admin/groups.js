import { describe, formatAgo, formatFull, t } from "../../i18n/index.js";
import { href } from "../../state/router.js";
import { confirm } from "../../ui/dialog.js";
import { toast } from "../../ui/toast.js";
import { html, nothing } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { admin } from "./admin_api.js";
import { Paged } from "./paged.js";
import { searchField, settled } from "./search_field.js";

/** @typedef {{id: string, name: string, owner: {id: string, username: string} | null, members: number, last_seq: number, last_at: string | null}} AdminGroup */

/**
 * All groups of the server.
 * @extends {Paged<AdminGroup>}
 */
export class AdminGroups extends Paged {
  path = "/groups";

  #search = settled((query) => void this.load({ query: query || undefined }));

  render() {
    return html`
      <div class="filters">${searchField({ label: t("admin.groups.search"), value: "", change: this.#search })}</div>
      ${this.list(({ id }) => id, (group) => this.#group(group), t("admin.none_found"))}
    `;
  }

  /** @param {AdminGroup} group */
  #group(group) {
    const { id, name, owner, members, last_seq, last_at } = group;
    return html`<li class="item">
      <myim-avatar .name=${name} .number=${id} .size=${40}></myim-avatar>
      <span class="item-text">
        <strong><bdi>${name}</bdi></strong>
        <span class="muted">
          ${t("admin.groups.members", { count: members })}
          <span class="dot-between">${owner ? html`${t("admin.groups.owner")} <a href=${href("admin", "users", owner.id)}><bdi>${owner.username}</bdi></a>` : t("admin.groups.no_owner")}</span>
          <span class="dot-between">${t("admin.groups.entries", { count: last_seq })}</span>
          ${last_at ? html`<span class="dot-between" title=${formatFull(last_at)}>${t("admin.groups.last", { time: formatAgo(last_at) })}</span>` : nothing}
        </span>
      </span>
      <button class="button" aria-label=${t("admin.groups.dissolve_label", { name })} @click=${() => this.#dissolve(group)}>${t("admin.groups.dissolve")}</button>
    </li>`;
  }

  /** @param {AdminGroup} group */
  async #dissolve({ id, name, members }) {
    const sure = await confirm({
      title: t("admin.groups.dissolve_title", { name }),
      text: t("admin.groups.dissolve_text", { count: members }),
      action: t("admin.groups.dissolve"),
      danger: true,
    });
    if (!sure) return;
    try {
      await admin().remove(`/groups/${id}`);
      this.alter((groups) => groups.filter((group) => group.id !== id));
      toast(t("admin.groups.dissolved"));
    } catch (error) {
      toast(describe(error), "error");
    }
  }
}

customElements.define("myim-admin-groups", AdminGroups);
