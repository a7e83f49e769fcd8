import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";

export class SettingsPage extends Element {
  render() {
    return html`<p>settings</p>`;
  }
}

customElements.define("myim-settings-page", SettingsPage);
