import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";

export class AdminPage extends Element {
  render() {
    return html`<p>admin</p>`;
  }
}

customElements.define("myim-admin-page", AdminPage);
