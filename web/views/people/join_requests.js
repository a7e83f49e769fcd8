/** @import { User } from "../../types.js" */
import { formatAgo, formatFull, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { href } from "../../state/router.js";
import { attempt } from "../../ui/attempt.js";
import { Element } from "../../ui/element.js";
import { html, nothing, repeat } from "../../vendor/lit.js";
import "../../ui/avatar.js";

/** @typedef {{user: User, note: string, time: string}} JoinRequest */

/** Who wants to be a member of a group, for its owner and admins. */
export class JoinRequests extends Element {
  static properties = { groupId: {}, requests: { state: true }, busy: { state: true } };

  constructor() {
    super();
    this.groupId = "";
    /** @type {JoinRequest[]} */
    this.requests = [];
    this.busy = false;
  }

  connectedCallback() {
    super.connectedCallback();
    const end = app.client?.onEvent((event) => {
      const concerns = event.event === "group.join_requested" || event.event === "group.member_joined" || event.event === "group.member_added";
      if (concerns && event.group_id === this.groupId) void this.#load();
    });
    this.lifetime.signal.addEventListener("abort", () => end?.());
  }

  firstUpdated() {
    void this.#load();
  }

  async #load() {
    const found = await app.client?.api.joinRequests(this.groupId).catch(() => null);
    if (found) this.requests = found.items;
  }

  render() {
    if (this.requests.length === 0) return nothing;
    return html`<section class="people-block" aria-labelledby="join-requests">
      <h3 id="join-requests">${t("people.join_requests")} <span class="badge">${this.requests.length}</span></h3>
      <ul class="people-cards">
        ${repeat(this.requests, ({ user }) => user.id, (one) => this.#request(one))}
      </ul>
    </section>`;
  }

  /** @param {JoinRequest} request */
  #request({ user, note, time }) {
    const name = user.nickname || user.username;
    return html`<li class="person-card">
      <myim-avatar .name=${name} .number=${user.id} .picture=${user.avatar} .size=${44}></myim-avatar>
      <div class="person-text">
        <a class="person-name" href=${href("people", "user", user.id)}><bdi>${name}</bdi></a>
        <span class="muted">@<bdi>${user.username}</bdi> · <time datetime=${time} title=${formatFull(time)}>${formatAgo(time)}</time></span>
        ${note ? html`<p class="person-note"><bdi>${note}</bdi></p>` : nothing}
      </div>
      <div class="person-actions">
        <button class="button" ?disabled=${this.busy} aria-label=${t("people.decline_who", { name })} @click=${() => this.#answer(user.id, "decline")}>
          ${t("people.decline")}
        </button>
        <button class="button primary" ?disabled=${this.busy} aria-label=${t("people.accept_who", { name })} @click=${() => this.#answer(user.id, "accept")}>
          ${t("people.accept")}
        </button>
      </div>
    </li>`;
  }

  /** @param {string} user @param {"accept" | "decline"} answer */
  async #answer(user, answer) {
    this.busy = true;
    await attempt(async () => app.client?.groups.act(this.groupId, (api) => api.answerJoin(this.groupId, user, answer)));
    this.busy = false;
    // Another admin may have been quicker.
    await this.#load();
  }
}

customElements.define("myim-join-requests", JoinRequests);
