import { t } from "../../i18n/index.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { openPart } from "../../ui/open_part.js";
import { html } from "../../vendor/lit.js";
import { newChat } from "../parts.js";

/** What stands beside the list as long as nothing was chosen in it. */
export class NoConversation extends Element {
  render() {
    const keys = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘ K" : "Ctrl K";
    return html`<div class="empty">
      ${icon("message-circle", "large")}
      <p>${t("lists.no_conversation")}</p>
      <button class="button" @click=${async () => (await openPart(newChat))?.openNewChat()}>${icon("message-square-plus")}${t("lists.new")}</button>
      <p class="muted">${t("lists.shortcut", { keys })}</p>
    </div>`;
  }
}

customElements.define("myim-no-conversation", NoConversation);
