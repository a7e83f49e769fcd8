import { formatFull, formatWhen, t } from "../../i18n/index.js";
import { href } from "../../state/router.js";
import { html, nothing } from "../../vendor/lit.js";
import { Paged } from "./paged.js";
import { searchField, selectField } from "./search_field.js";
import { tag } from "./tag.js";

/** @typedef {{id: string, time: string, actor: string, by: string, action: string, target: string, detail: string}} AuditLine */

/** What actions are about: the first part of their names. */
const SUBJECTS = ["user", "session", "group", "invite", "upgrade", "log"];

/**
 * What administrators did, the newest first.
 * @extends {Paged<AuditLine>}
 */
export class AdminAudit extends Paged {
  static properties = { ...Paged.properties, text: { state: true }, subject: { state: true } };

  path = "/audit";

  constructor() {
    super();
    this.text = "";
    this.subject = "";
  }

  render() {
    return html`
      <div class="filters">
        ${searchField({ label: t("admin.audit.search"), value: this.text, change: (text) => (this.text = text) })}
        ${selectField({
          label: t("admin.audit.subject"),
          value: this.subject,
          options: [["", t("admin.audit.all")], ...SUBJECTS.map((subject) => /** @type {[string, string]} */ ([subject, t(`admin.audit.subject.${subject}`)]))],
          change: (subject) => (this.subject = subject),
        })}
      </div>
      ${this.list(({ id }) => id, line, this.next ? t("admin.audit.none_yet") : t("admin.none_found"), this.#shown())}
    `;
  }

  /** The server does not filter: what was loaded is. */
  #shown() {
    const text = this.text.trim().toLowerCase();
    return (
      this.items?.filter(
        ({ action, by, target, detail }) =>
          (!this.subject || action.startsWith(`${this.subject}.`)) &&
          [by, target, detail, actionName(action)].some((one) => one.toLowerCase().includes(text)),
      ) ?? null
    );
  }
}

/** @param {AuditLine} line */
function line({ time, actor, by, action, target, detail }) {
  const [kind, id] = target.split(":");
  return html`<li class="item">
    <span class="item-text">
      <strong>${actionName(action)} ${id ? targetLink(kind, id) : nothing}</strong>
      ${detail ? html`<bdi>${detail}</bdi>` : nothing}
      <span class="muted">
        ${actor === "0" ? tag(t("admin.audit.operator")) : nothing} <bdi>${by}</bdi>
        <time class="dot-between" datetime=${time} title=${formatFull(time)}>${formatWhen(time)}</time>
      </span>
    </span>
  </li>`;
}

/** @param {string} kind @param {string} id */
function targetLink(kind, id) {
  if (kind === "user") return html`<a href=${href("admin", "users", id)}>${t("admin.number", { id })}</a>`;
  return html`<span class="mono">${id}</span>`;
}

/** @param {string} action as the server calls it; a newer one may have others */
function actionName(action) {
  const key = `admin.action.${action}`;
  const name = t(key);
  return name === key ? action : name;
}

customElements.define("myim-admin-audit", AdminAudit);
