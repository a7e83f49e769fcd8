import { app } from "../state/app.js";
import { unreadTotal } from "../state/conversations.js";
import { Element } from "../ui/element.js";
import { notLoaded } from "../ui/lazy.js";
import { html } from "../vendor/lit.js";
import "./auth/sign_in.js";

/** The whole page: the sign-in, or the work of who is signed in. */
export class MyimApp extends Element {
  select = (/** @type {import("../types.js").State} */ state) => ({
    unread: unreadTotal(state),
    server: state.server?.name,
    notLoaded: state.notLoaded,
  });

  connectedCallback() {
    super.connectedCallback();
    const end = app.onAccount(() => this.requestUpdate());
    this.lifetime.signal.addEventListener("abort", end);
  }

  render() {
    const { unread, server, notLoaded: failed } = this.seen;
    const name = server ?? "myim";
    document.title = unread > 0 ? `(${unread > 99 ? "99+" : unread}) ${name}` : name;
    if (failed) return html`<main>${notLoaded()}</main>`;
    return app.client ? html`<myim-shell></myim-shell>` : html`<myim-sign-in></myim-sign-in>`;
  }
}

customElements.define("myim-app", MyimApp);
