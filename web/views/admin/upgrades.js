import { describe, formatBytes, formatWhen, t } from "../../i18n/index.js";
import { ask, confirm } from "../../ui/dialog.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html, nothing } from "../../vendor/lit.js";
import { admin } from "./admin_api.js";
import { Paged } from "./paged.js";
import { tag } from "./tag.js";

/** @typedef {{id: string, platform: string, channel: string, version: string, file: string, size: number, name: string, notes: string, percent: number, published_at: string, withdrawn_at: string | null}} Upgrade */

/**
 * Packages with newer programs that clients are offered.
 * @extends {Paged<Upgrade>}
 */
export class AdminUpgrades extends Paged {
  path = "/upgrades";

  render() {
    return html`
      <p class="note">${icon("info")}<span>${t("admin.upgrades.how")}</span></p>
      ${this.list(({ id }) => id, (upgrade) => this.#upgrade(upgrade), t("admin.upgrades.none"))}
    `;
  }

  /** @param {Upgrade} upgrade */
  #upgrade(upgrade) {
    const { platform, channel, version, size, name, notes, percent, published_at, withdrawn_at } = upgrade;
    return html`<li class="item wrap">
      <span class="item-icon">${icon("package")}</span>
      <span class="item-text">
        <strong><bdi>${version}</bdi> ${tag(platform)} ${tag(channel)} ${withdrawn_at ? tag(t("admin.upgrades.withdrawn"), "bad") : nothing}</strong>
        <span class="muted"><bdi>${name}</bdi><span class="dot-between">${formatBytes(size)}</span><span class="dot-between">${formatWhen(published_at)}</span></span>
        ${notes ? html`<span class="item-notes" dir="auto">${notes}</span>` : nothing}
        ${withdrawn_at
          ? html`<span class="muted">${t("admin.upgrades.withdrawn_at", { time: formatWhen(withdrawn_at) })}</span>`
          : html`<span class="upgrade-percent">
              <meter min="0" max="100" .value=${percent} aria-label=${t("admin.upgrades.percent")}></meter>
              <span>${t("admin.upgrades.percent_of", { count: percent })}</span>
            </span>`}
      </span>
      ${withdrawn_at
        ? nothing
        : html`<span class="buttons">
            <button class="button" @click=${() => this.#setPercent(upgrade)}>${t("admin.upgrades.set_percent")}</button>
            <button class="button danger" @click=${() => this.#withdraw(upgrade)}>${t("admin.upgrades.withdraw")}</button>
          </span>`}
    </li>`;
  }

  /** @param {Upgrade} upgrade */
  async #setPercent(upgrade) {
    const answer = await ask({
      title: t("admin.upgrades.set_percent_title", { version: upgrade.version }),
      label: t("admin.upgrades.percent_label"),
      value: String(upgrade.percent),
      action: t("action.save"),
      required: true,
      maxLength: 3,
    });
    if (answer === undefined) return;
    const percent = Number(answer);
    if (!/^\d+$/.test(answer) || percent > 100) return toast(t("admin.upgrades.bad_percent"), "error");
    await this.#change(upgrade, () => admin().patch(`/upgrades/${upgrade.id}`, { percent }));
  }

  /** @param {Upgrade} upgrade */
  async #withdraw(upgrade) {
    const sure = await confirm({
      title: t("admin.upgrades.withdraw_title", { version: upgrade.version }),
      text: t("admin.upgrades.withdraw_text"),
      action: t("admin.upgrades.withdraw"),
      danger: true,
    });
    if (sure) await this.#change(upgrade, () => admin().post(`/upgrades/${upgrade.id}/withdraw`, undefined));
  }

  /** @param {Upgrade} upgrade @param {() => Promise<Upgrade>} work */
  async #change(upgrade, work) {
    try {
      const changed = await work();
      this.alter((upgrades) => upgrades.map((one) => (one.id === upgrade.id ? changed : one)));
      toast(t("settings.saved"));
    } catch (error) {
      toast(describe(error), "error");
    }
  }
}

customElements.define("myim-admin-upgrades", AdminUpgrades);
