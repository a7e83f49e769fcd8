import { Element } from "../../ui/element.js";
import { html } from "../../vendor/lit.js";

export class PeoplePage extends Element {
  render() {
    return html`<p>people</p>`;
  }
}

customElements.define("myim-people-page", PeoplePage);
