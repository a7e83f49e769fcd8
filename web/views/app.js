import { app } from "../state/app.js";
import { unreadTotal } from "../state/conversations.js";
import { Element } from "../ui/element.js";
import { html } from "../vendor/lit.js";
import "./auth/sign_in.js";
import "./shell.js";

/** The whole page: the sign-in, or the work of who is signed in. */
export class MyimApp extends Element {
  select = (/** @type {import("../types.js").State} */ state) => ({ unread: unreadTotal(state), server: state.server?.name });

  connectedCallback() {
    super.connectedCallback();
    const end = app.onAccount(() => this.requestUpdate());
    this.lifetime.signal.addEventListener("abort", end);
  }

  render() {
    const { unread, server } = this.seen;
    const name = server ?? "myim";
    document.title = unread > 0 ? `(${unread > 99 ? "99+" : unread}) ${name}` : name;
    return app.client ? html`<myim-shell></myim-shell>` : html`<myim-sign-in></myim-sign-in>`;
  }
}

customElements.define("myim-app", MyimApp);
