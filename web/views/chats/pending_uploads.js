/** @import { PendingMessage, PendingUpload } from "../../types.js" */
import { describeCode, formatBytes, t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { fileIcon } from "../../ui/file_kind.js";
import { icon } from "../../ui/icon.js";
import { html, nothing } from "../../vendor/lit.js";

/**
 * The files of a message that are still to go up: how far each is, and the button that leaves it out.
 * @param {PendingMessage} message
 */
export function pendingUploads(message) {
  if (!message.uploads?.length) return nothing;
  return html`<ul class="uploads" aria-label=${t("compose.uploads")}>
    ${message.uploads.map((upload) => row(message, upload))}
  </ul>`;
}

/** @param {PendingMessage} message @param {PendingUpload} upload */
function row(message, upload) {
  const { id, name, size, sent, mime, preview, error, hindrance } = upload;
  return html`<li class="upload">
    ${preview ? html`<img class="upload-preview" src=${preview} alt="" />` : html`<span class="file-icon">${icon(fileIcon(name, mime))}</span>`}
    <span class="file-name">
      <bdi class="file-title">${name}</bdi>
      ${error
        ? html`<span class="field-error">${describeCode(error)}</span>`
        : html`<progress max=${Math.max(1, size)} value=${size ? sent : 1} aria-label=${t("compose.upload_progress", { name })}></progress>
            <span class="muted">${t("compose.sent_of", { sent: formatBytes(sent), size: formatBytes(size) })}</span>
            ${hindrance ? html`<span class="field-error" role="status">${t("compose.upload_hindered", { reason: describeCode(hindrance) })}</span>` : nothing}`}
    </span>
    ${error
      ? html`<button type="button" class="icon-button" aria-label=${t("action.retry")} title=${t("action.retry")} @click=${() => app.client?.uploads.retry(message)}>
          ${icon("rotate-cw")}
        </button>`
      : nothing}
    <button
      type="button"
      class="icon-button"
      aria-label=${t("compose.upload_cancel", { name })}
      title=${t("action.cancel")}
      @click=${() => app.client?.uploads.cancel(message, id)}
    >
      ${icon("x")}
    </button>
  </li>`;
}
