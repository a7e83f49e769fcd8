/** @import { Conversation, Message, State } from "../../types.js" */
/** @import { Suggestion } from "./suggestions.js" */
import { t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { hindrance } from "../../state/may_write.js";
import { fromSegments } from "../../state/marked_text.js";
import { nameOf } from "../../state/conversations.js";
import { isPicture } from "../../state/uploads.js";
import { attempt } from "../../ui/attempt.js";
import { Element } from "../../ui/element.js";
import { face } from "../../ui/faces.js";
import { icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";
import { html, nothing } from "../../vendor/lit.js";
import { openAttachDialog } from "./attach_dialog.js";
import { DropZone } from "./drop_zone.js";
import { openEmojiPicker } from "./emoji_picker.js";
import { hindranceNote } from "./hindrance_note.js";
import { mentionList } from "./mention_list.js";
import { mayEdit } from "./message_rights.js";
import { replyBar } from "./reply_bar.js";
import { suggest } from "./suggestions.js";
import { canRecord } from "./voice_recorder.js";
import { WrittenText } from "./written_text.js";

/** From this part of the longest message on it is told how much room is left. */
const NEAR = 0.8;

/** Where one writes: text with mentions and emoji, files, and voice. */
export class Composer extends Element {
  static properties = {
    conversationId: {},
    editing: { attribute: false },
    suggested: { state: true },
    chosen: { state: true },
    recording: { state: true },
    empty: { state: true },
    room: { state: true },
  };

  select = (/** @type {State} */ state) => {
    const conversation = state.conversations.get(this.conversationId);
    return {
      conversation,
      draft: state.drafts.get(this.conversationId),
      group: state.groups.get(conversation?.group?.id ?? ""),
      members: state.members.get(conversation?.group?.id ?? ""),
      contacts: state.contacts,
      blocks: state.blocks,
      requests: state.requests,
      server: state.server,
      enterSends: state.preferences.enterSends,
    };
  };

  /** The draft that was shown last, to tell apart what others change. @type {import("../../types.js").Draft | undefined} */
  #draft;
  #written = new WrittenText(() => this.#field);
  /** Where what is suggested would begin. */ #start = 0;
  /** Counts the questions for suggestions: only the last one's answer is shown. */ #asked = 0;

  constructor() {
    super();
    this.conversationId = "";
    /** @type {Message | null} */
    this.editing = null;
    /** @type {Suggestion[]} */
    this.suggested = [];
    this.chosen = 0;
    this.recording = false;
    this.empty = true;
    /** Bytes that may still be written, if they are few. @type {number | null} */
    this.room = null;
  }

  get #field() {
    return /** @type {HTMLTextAreaElement | null} */ (this.querySelector("textarea"));
  }

  connectedCallback() {
    super.connectedCallback();
    const home = /** @type {HTMLElement} */ (this.closest("myim-conversation") ?? this.parentElement ?? this);
    new DropZone(home, this.lifetime.signal, () => this.#hindrance === null, (files) => this.#attach(files));
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    const { conversation, draft } = this.seen;
    if (conversation?.group) app.client?.groups.need(conversation.group.id);
    if (changed.has("editing") && (this.editing || changed.get("editing"))) this.#beginEditing();
    else if (!this.editing && draft !== this.#draft) this.#showDraft(draft);
    else if (!this.hasShown) this.#showDraft(draft);
    this.hasShown = this.#field !== null;
  }

  hasShown = false;

  /** @param {import("../../types.js").Draft | undefined} draft */
  #showDraft(draft) {
    const answers = draft?.reply_to !== undefined && draft.reply_to !== this.#draft?.reply_to;
    this.#draft = draft;
    this.#written.set(draft ?? { text: "" });
    this.#measure();
    if (answers && this.hasShown) this.#field?.focus();
  }

  #beginEditing() {
    if (!this.editing) {
      this.#showDraft(this.seen.draft);
    } else {
      const { state } = app.store;
      const group = this.seen.conversation?.group?.id;
      const written = fromSegments(this.editing.segments, (segment) => {
        if (segment.type === "face") return face(segment.id);
        if (segment.type !== "mention") return null;
        return `@${segment.user_id === "all" ? t("line.all") : nameOf(state, segment.user_id, group)}`;
      });
      this.#written.set(written);
      this.#measure();
      this.#field?.setSelectionRange(written.text.length, written.text.length);
    }
    this.#field?.focus();
  }

  /** @returns {import("../../state/may_write.js").Hindrance | null} */
  get #hindrance() {
    const { conversation } = this.seen;
    return conversation ? hindrance(app.store.state, conversation) : null;
  }

  // What the user does

  #typed = () => {
    this.#written.read();
    this.#measure();
    if (!this.editing) {
      this.#keep();
      if (!this.empty) app.client?.typing(this.conversationId);
    }
    void this.#suggest();
  };

  #keep() {
    const { text, marks } = this.#written;
    const reply_to = this.seen.draft?.reply_to;
    this.#draft = { text, ...(marks.length ? { marks } : {}), ...(reply_to === undefined ? {} : { reply_to }) };
    app.client?.drafts.keep(this.conversationId, this.#draft);
    this.#draft = app.store.state.drafts.get(this.conversationId);
  }

  #measure() {
    const { text } = this.#written;
    this.empty = text.trim() === "";
    const most = this.seen.server?.limits.message_bytes_max;
    this.room = null;
    // A character has at most six bytes in JSON; short texts need no counting.
    if (!most || text.length * 6 < most * NEAR) return;
    const left = most - new TextEncoder().encode(JSON.stringify(this.#written.segments())).length;
    if (left < most * (1 - NEAR)) this.room = left;
  }

  async #suggest() {
    const asked = ++this.#asked;
    const field = this.#field;
    const { conversation } = this.seen;
    const before = field && field.selectionStart === field.selectionEnd ? field.value.slice(0, field.selectionStart) : "";
    const inside = this.#written.marks.some(({ start, end }) => before.length > start && before.length <= end);
    const found = before && conversation && !inside ? await suggest(app.store.state, conversation, before) : null;
    if (asked !== this.#asked) return;
    this.suggested = found?.items ?? [];
    this.#start = found?.start ?? 0;
    this.chosen = 0;
  }

  /** @param {Suggestion} item */
  #choose = (item) => {
    const mention = item.segment !== undefined;
    this.#written.insert(item.piece, { start: this.#start, segment: item.segment, space: mention });
    this.suggested = [];
    this.#asked += 1;
    this.#typed();
  };

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    // While characters are put together, every key belongs to that.
    if (event.isComposing || event.keyCode === 229) return;
    if (this.suggested.length && this.#keyInList(event)) return;
    const { key } = event;
    if (key === "Enter") {
      const sends = this.seen.enterSends ? !event.shiftKey && !event.altKey : event.ctrlKey || event.metaKey;
      if (!sends) return;
      event.preventDefault();
      void this.#send();
    } else if (key === "Escape" && this.editing) {
      event.preventDefault();
      this.#edit(null);
    } else if (key === "Escape" && this.seen.draft?.reply_to !== undefined) {
      event.preventDefault();
      app.client?.drafts.reply(this.conversationId);
    } else if (key === "ArrowUp" && this.#written.text === "" && !this.editing) {
      this.#editLast(event);
    } else if (key === "Backspace") {
      this.#written.selectMarkBefore();
    }
  };

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was for the list */
  #keyInList(event) {
    const { length } = this.suggested;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const item = this.suggested[this.chosen];
    if (step) this.chosen = (this.chosen + step + length) % length;
    else if ((event.key === "Enter" || event.key === "Tab") && item && !event.shiftKey) this.#choose(item);
    else if (event.key === "Escape") this.suggested = [];
    else return false;
    event.preventDefault();
    return true;
  }

  /** @param {Event} event */
  #editLast(event) {
    const { state } = app.store;
    const message = state.windows.get(this.conversationId)?.messages.findLast((one) => mayEdit(state, one));
    if (!message) return;
    event.preventDefault();
    this.#edit(message);
  }

  /** Asks the conversation for another message to be edited, or none. @param {Message | null} message */
  #edit(message) {
    this.dispatchEvent(new CustomEvent("edit-message", { detail: message, bubbles: true }));
  }

  async #send() {
    const segments = this.#written.segments();
    if (segments.length === 0) return;
    if (this.room !== null && this.room < 0) return toast(t("error.message_too_large"), "error");
    this.suggested = [];
    const { client } = app;
    const { editing } = this;
    if (editing) {
      const same = JSON.stringify(segments) === JSON.stringify(editing.segments);
      const done = same || (await attempt(async () => (await client?.edit(editing, segments), true)));
      if (done && this.editing === editing) this.#edit(null);
      return;
    }
    const reply_to = this.seen.draft?.reply_to;
    this.#clear();
    await client?.send(this.conversationId, segments, reply_to === undefined ? {} : { reply_to });
  }

  #clear() {
    app.client?.drafts.keep(this.conversationId, { text: "" });
    this.#draft = undefined;
    this.#written.set({ text: "" });
    this.#measure();
  }

  /** @param {File[]} files */
  #attach = async (files) => {
    if (files.length === 0 || this.#hindrance || this.editing) return;
    const limits = app.store.state.server?.limits ?? {};
    const { text, marks } = this.#written;
    const chosen = await openAttachDialog(files, { text, marks }, limits);
    this.#field?.focus();
    if (!chosen) return;
    const picked = chosen.files.map((file) => ({ file, name: file.name, picture: !chosen.asFiles && isPicture(file, limits) }));
    const reply_to = this.seen.draft?.reply_to;
    this.#clear();
    await app.client?.uploads.send(this.conversationId, picked, chosen.caption, reply_to);
  };

  /** @param {ClipboardEvent} event */
  #paste = (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    // A copied table or text comes as a picture too: then it is the text that is meant.
    if (files.length === 0 || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    void this.#attach(files);
  };

  /** @param {Event} event */
  #picked = (event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const files = [...(input.files ?? [])];
    input.value = "";
    void this.#attach(files);
  };

  /** @param {Event} event */
  #emoji = async (event) => {
    const emoji = await openEmojiPicker(/** @type {HTMLElement} */ (event.currentTarget));
    if (emoji) this.#written.insert(emoji);
    else this.#field?.focus();
  };

  /** @param {CustomEvent<{file: File} | null>} event */
  #recorded = (event) => {
    this.recording = false;
    const { detail } = event;
    if (detail) {
      const reply_to = this.seen.draft?.reply_to;
      if (reply_to !== undefined) app.client?.drafts.reply(this.conversationId);
      void app.client?.uploads.send(this.conversationId, [{ file: detail.file, name: detail.file.name, picture: false }], [], reply_to);
    }
    void this.updateComplete.then(() => this.#field?.focus());
  };

  // What is shown

  render() {
    const { conversation } = this.seen;
    const hindered = this.#hindrance;
    if (conversation && hindered) return hindranceNote(app.store.state, conversation, hindered);
    return html`<form
      class="composer"
      @submit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        void this.#send();
      }}
    >
      ${this.#bar(conversation)}
      ${this.suggested.length ? mentionList("composer-suggestions", this.suggested, this.chosen, this.#choose) : nothing}
      <div class="hidden-text" role="status">
        ${this.suggested.length ? t("compose.suggested", { count: this.suggested.length }) : ""}
      </div>
      ${this.recording
        ? html`<myim-voice-recorder @recorded=${this.#recorded}></myim-voice-recorder>`
        : html`<div class="composer-row">${this.#row(conversation)}</div>`}
      ${this.room === null ? nothing : html`<p class="composer-room ${this.room < 0 ? "over" : ""}" role="status">${this.#roomText(this.room)}</p>`}
    </form>`;
  }

  /** @param {Conversation | undefined} conversation */
  #bar(conversation) {
    const { state } = app.store;
    const groupId = conversation?.group?.id;
    if (this.editing) return replyBar(state, { kind: "edit", message: this.editing, groupId, cancel: () => this.#edit(null) });
    const seq = this.seen.draft?.reply_to;
    if (seq === undefined) return nothing;
    const message = state.windows.get(this.conversationId)?.messages.find((one) => one.seq === seq);
    return replyBar(state, { kind: "reply", message, groupId, cancel: () => app.client?.drafts.reply(this.conversationId) });
  }

  /** @param {Conversation | undefined} conversation */
  #row(conversation) {
    const list = this.suggested.length > 0;
    return html`
      <input class="composer-file" type="file" multiple tabindex="-1" aria-hidden="true" @change=${this.#picked} />
      <button
        type="button"
        class="icon-button"
        aria-label=${t("compose.attach")}
        title=${t("compose.attach")}
        ?disabled=${this.editing !== null}
        @click=${() => /** @type {HTMLElement | null} */ (this.querySelector(".composer-file"))?.click()}
      >
        ${icon("paperclip")}
      </button>
      <div class="composer-field">
        <textarea
          rows="1"
          dir="auto"
          aria-label=${t("compose.message")}
          placeholder=${t("compose.message")}
          aria-autocomplete="list"
          aria-controls=${list ? "composer-suggestions" : nothing}
          aria-activedescendant=${list ? `composer-suggestions-${this.chosen}` : nothing}
          enterkeyhint=${this.seen.enterSends ? "send" : "enter"}
          @input=${this.#typed}
          @keydown=${this.#key}
          @paste=${this.#paste}
          @blur=${() => (this.suggested = [])}
        ></textarea>
        ${this.empty && conversation?.kind === "direct" && !this.editing
          ? html`<button type="button" class="icon-button" aria-label=${t("compose.nudge")} title=${t("compose.nudge")} @click=${this.#nudge}>
              ${icon("vibrate")}
            </button>`
          : nothing}
        <button type="button" class="icon-button" aria-label=${t("compose.emoji")} title=${t("compose.emoji")} aria-haspopup="dialog" @click=${this.#emoji}>
          ${icon("smile")}
        </button>
      </div>
      ${this.empty && canRecord() && !this.editing
        ? html`<button type="button" class="icon-button" aria-label=${t("compose.record")} title=${t("compose.record")} @click=${() => (this.recording = true)}>
            ${icon("mic")}
          </button>`
        : html`<button class="icon-button accent" aria-label=${t("compose.send")} title=${t("compose.send")} ?disabled=${this.empty || (this.room ?? 0) < 0}>
            ${icon(this.editing ? "check" : "send")}
          </button>`}
    `;
  }

  #nudge = () => void app.client?.send(this.conversationId, [{ type: "nudge" }]);

  /** @param {number} room */
  #roomText(room) {
    return room < 0 ? t("compose.too_long") : t("compose.room", { count: room });
  }
}

customElements.define("myim-composer", Composer);
