/** @import { ContactRequest } from "../../types.js" */
import { formatAgo, formatFull, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { href } from "../../state/router.js";
import { attempt } from "../../ui/attempt.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { html, nothing, repeat } from "../../vendor/lit.js";
import "../../ui/avatar.js";
import { openChatWith } from "../chats/open_chat.js";
import { detail } from "./detail.js";

/** Who wants to be a contact, and whom one asked. */
export class Requests extends Element {
  static properties = { accepted: { state: true }, busy: { state: true } };

  select = (/** @type {import("../../types.js").State} */ { requests, contacts }) => ({ requests, contacts });

  constructor() {
    super();
    /** Requests that were said yes to here: one wants to say hello. @type {ContactRequest[]} */
    this.accepted = [];
    /** @type {Set<string>} */
    this.busy = new Set();
  }

  render() {
    const open = /** @type {ContactRequest[]} */ (this.seen.requests);
    const incoming = open.filter(({ direction }) => direction === "incoming");
    const outgoing = open.filter(({ direction }) => direction === "outgoing");
    const accepted = this.accepted.filter(({ user }) => this.seen.contacts.has(user.id));
    const content = html`
      <section class="people-block" aria-labelledby="requests-incoming">
        <h3 id="requests-incoming">${t("people.incoming")}</h3>
        ${accepted.length || incoming.length ? nothing : html`<p class="muted">${t("people.no_incoming")}</p>`}
        <ul class="people-cards">
          ${repeat(accepted, ({ id }) => `accepted-${id}`, (one) => this.#accepted(one))}
          ${repeat(incoming, ({ id }) => id, (one) => this.#incoming(one))}
        </ul>
      </section>
      <section class="people-block" aria-labelledby="requests-outgoing">
        <h3 id="requests-outgoing">${t("people.outgoing")}</h3>
        ${outgoing.length ? nothing : html`<p class="muted">${t("people.no_outgoing")}</p>`}
        <ul class="people-cards">${repeat(outgoing, ({ id }) => id, (one) => this.#outgoing(one))}</ul>
      </section>
    `;
    return detail(t("people.requests"), content);
  }

  /** @param {ContactRequest} request */
  #incoming(request) {
    const name = request.user.nickname || request.user.username;
    return this.#card(
      request,
      html`<button class="button" ?disabled=${this.busy.has(request.id)} aria-label=${t("people.decline_who", { name })} @click=${() => this.#answer(request, "decline")}>
          ${t("people.decline")}
        </button>
        <button class="button primary" ?disabled=${this.busy.has(request.id)} aria-label=${t("people.accept_who", { name })} @click=${() => this.#answer(request, "accept")}>
          ${t("people.accept")}
        </button>`,
    );
  }

  /** @param {ContactRequest} request */
  #outgoing(request) {
    const name = request.user.nickname || request.user.username;
    return this.#card(
      request,
      html`<button class="button" ?disabled=${this.busy.has(request.id)} aria-label=${t("people.withdraw_who", { name })} @click=${() => this.#answer(request, "withdraw")}>
        ${t("people.withdraw")}
      </button>`,
    );
  }

  /** @param {ContactRequest} request */
  #accepted(request) {
    return this.#card(
      { ...request, note: t("people.accepted") },
      html`<button class="button primary" @click=${() => openChatWith(request.user.id)}>${icon("message-circle")}${t("people.message")}</button>`,
    );
  }

  /** @param {ContactRequest} request @param {unknown} actions */
  #card({ user, note, time }, actions) {
    const name = user.nickname || user.username;
    return html`<li class="person-card">
      <myim-avatar .name=${name} .number=${user.id} .picture=${user.avatar} .size=${44}></myim-avatar>
      <div class="person-text">
        <a class="person-name" href=${href("people", "user", user.id)}><bdi>${name}</bdi></a>
        <span class="muted">@<bdi>${user.username}</bdi> · <time datetime=${time} title=${formatFull(time)}>${formatAgo(time)}</time></span>
        ${note ? html`<p class="person-note"><bdi>${note}</bdi></p>` : nothing}
      </div>
      <div class="person-actions">${actions}</div>
    </li>`;
  }

  /** @param {ContactRequest} request @param {"accept" | "decline" | "withdraw"} answer */
  async #answer(request, answer) {
    this.busy = new Set(this.busy).add(request.id);
    await attempt(async () => {
      await app.client?.people.answer(request.id, answer);
      if (answer === "accept") this.accepted = [request, ...this.accepted];
    });
    const busy = new Set(this.busy);
    busy.delete(request.id);
    this.busy = busy;
  }
}

customElements.define("myim-requests", Requests);
