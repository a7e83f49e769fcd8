/** @import { Conversation, Draft, GroupMember, Message, Segment, State } from "../../types.js" */
/** @import { Hindrance } from "../../state/may_write.js" */
import { t } from "../../i18n/index.js";
import { app } from "../../state/app.js";
import { hindrance } from "../../state/may_write.js";
import { attempt } from "../../ui/attempt.js";
import { Element } from "../../ui/element.js";
import { icon } from "../../ui/icon.js";
import { openPart } from "../../ui/open_part.js";
import { toast } from "../../ui/toast.js";
import { html, nothing } from "../../vendor/lit.js";
import { emojiPicker, voiceRecorder } from "../parts.js";
import { DropZone } from "./drop_zone.js";
import { hindranceNote } from "./hindrance_note.js";
import { mentionList } from "./mention_list.js";
import { mayEdit } from "./message_rights.js";
import { composerBar, editable } from "./reply_bar.js";
import { pastedFiles, pickedFiles, sendFiles } from "./send_files.js";
import { Suggester } from "./suggester.js";
import { WrittenText } from "./written_text.js";

/** Timers cannot wait for longer. */
const TIMER_MAX = 2 ** 31 - 1;
/** The id of the list of suggestions. */
const LIST = "composer-suggestions";

/** Where one writes: text with mentions and emoji, files, and voice. */
export class Composer extends Element {
  static properties = {
    conversationId: {},
    editing: { attribute: false },
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

  /** The draft that was shown last, to tell apart what others change. @type {Draft | undefined} */
  #draft;
  /** Those who can be mentioned, as they were looked at last. @type {GroupMember[] | undefined} */
  #members;
  /** Whether a draft was shown at all. */
  #begun = false;
  /** What somebody made of the message that is edited again, because the server did not take it. @type {Draft | null} */
  #refused = null;
  #written = new WrittenText(() => this.#field);
  #suggester = new Suggester(this.#written, () => this.requestUpdate());

  constructor() {
    super();
    this.conversationId = "";
    /** @type {Message | null} */
    this.editing = null;
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

  firstUpdated() {
    // Who opens a conversation at a desk wants to write; on a phone the keyboard would cover it.
    const atDesk = matchMedia("(hover: hover) and (pointer: fine)").matches;
    const toMessage = app.store.state.route.query.has("seq");
    if (atDesk && !toMessage && !document.querySelector("dialog[open]")) this.#field?.focus({ preventScroll: true });
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#unmute);
  }

  /** @type {number | undefined} */ #unmute;

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    const { conversation, draft, members } = this.seen;
    if (conversation?.group) app.client?.groups.need(conversation.group.id);
    if (members !== this.#members) {
      this.#members = members;
      // Who types at once names somebody before it is known who is there.
      if (this.#field && this.#field === document.activeElement) void this.#suggester.look(conversation, this.#field);
    }
    if (changed.has("editing") && (this.editing || changed.get("editing"))) this.#beginEditing();
    else if (!this.editing && (draft !== this.#draft || !this.#begun)) this.#showDraft(draft);
    this.#begun = this.#field !== null;
    clearTimeout(this.#unmute);
    const until = this.#hindrance?.until;
    if (until) this.#unmute = setTimeout(() => this.requestUpdate(), Math.min(Date.parse(until) - Date.now() + 100, TIMER_MAX));
  }

  /** @param {Draft | undefined} draft */
  #showDraft(draft) {
    const answers = draft?.reply_to !== undefined && draft.reply_to !== this.#draft?.reply_to;
    this.#draft = draft;
    this.#written.set(draft ?? { text: "" });
    this.#measure();
    if (answers && this.#begun) this.#field?.focus();
  }

  #beginEditing() {
    if (this.editing) {
      this.#written.set(this.#refused ?? editable(app.store.state, this.editing, this.seen.conversation?.group?.id));
      this.#refused = null;
      this.#measure();
    } else {
      this.#showDraft(this.seen.draft);
    }
    const { length } = this.#written.text;
    this.#field?.setSelectionRange(length, length);
    this.#field?.focus();
  }

  /** @returns {Hindrance | null} */
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
    if (this.#field) void this.#suggester.look(this.seen.conversation, this.#field);
  };

  #keep() {
    const { text, marks } = this.#written;
    const reply_to = this.seen.draft?.reply_to;
    this.#draft = { text, ...(marks.length ? { marks } : {}), ...(reply_to === undefined ? {} : { reply_to }) };
    app.client?.drafts.keep(this.conversationId, this.#draft);
    this.#draft = app.store.state.drafts.get(this.conversationId);
  }

  #measure() {
    this.empty = this.#written.text.trim() === "";
    this.room = this.#written.room(this.seen.server?.limits.message_bytes_max);
  }

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    // While characters are put together, every key belongs to that.
    if (event.isComposing || event.keyCode === 229) return;
    if (this.#suggester.key(event)) return;
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
    this.#suggester.close();
    const { client } = app;
    const { editing } = this;
    if (editing) return this.#sendEdit(editing, segments);
    const reply_to = this.seen.draft?.reply_to;
    this.#clear();
    await client?.send(this.conversationId, segments, reply_to === undefined ? {} : { reply_to });
  }

  /**
   * Who goes on writing while the server takes an edit writes a new message.
   * @param {Message} message @param {Segment[]} segments
   */
  async #sendEdit(message, segments) {
    const { text, marks } = this.#written;
    this.#edit(null);
    if (JSON.stringify(segments) === JSON.stringify(message.segments)) return;
    const done = await attempt(async () => (await app.client?.edit(message, segments), true));
    if (done || this.editing || !this.isConnected) return;
    this.#refused = { text, marks };
    this.#edit(message);
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
    if (await sendFiles(this.conversationId, files, this.#written, this.seen.draft?.reply_to)) this.#clear();
    this.#field?.focus();
  };

  /** @param {ClipboardEvent} event */
  #paste = (event) => {
    const files = pastedFiles(event);
    if (files.length === 0) return;
    event.preventDefault();
    void this.#attach(files);
  };

  /** @param {Event} event */
  #emoji = async (event) => {
    const button = /** @type {HTMLElement} */ (event.currentTarget);
    const chosen = await (await openPart(emojiPicker))?.openEmojiPicker(button, { faces: true });
    if (!chosen) return this.#field?.focus();
    this.#written.insert(chosen.sign, chosen.face === undefined ? {} : { segment: { type: "face", id: chosen.face } });
  };

  #record = async () => {
    if (await openPart(voiceRecorder)) this.recording = true;
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
    const { items, chosen, choose } = this.#suggester;
    if (conversation && hindered) return hindranceNote(app.store.state, conversation, hindered);
    return html`<form
      class="composer"
      @submit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        void this.#send();
      }}
    >
      ${composerBar(app.store.state, {
        conversationId: this.conversationId,
        groupId: conversation?.group?.id,
        editing: this.editing,
        replyTo: this.seen.draft?.reply_to,
        stopEditing: () => this.#edit(null),
        stopReplying: () => app.client?.drafts.reply(this.conversationId),
      })}
      ${items.length ? mentionList(LIST, items, chosen, choose) : nothing}
      <div class="hidden-text" role="status">${items.length ? t("compose.suggested", { count: items.length }) : ""}</div>
      ${this.recording
        ? html`<myim-voice-recorder @recorded=${this.#recorded}></myim-voice-recorder>`
        : html`<div class="composer-row">${this.#row(conversation)}</div>`}
      ${this.room === null ? nothing : html`<p class="composer-room ${this.room < 0 ? "over" : ""}" role="status">${this.#roomText(this.room)}</p>`}
    </form>`;
  }

  /** @param {Conversation | undefined} conversation */
  #row(conversation) {
    const { items, chosen, close } = this.#suggester;
    return html`
      <input class="composer-file" type="file" multiple tabindex="-1" aria-hidden="true" @change=${(/** @type {Event} */ event) => void this.#attach(pickedFiles(event))} />
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
          aria-controls=${items.length ? LIST : nothing}
          aria-activedescendant=${items.length ? `${LIST}-${chosen}` : nothing}
          enterkeyhint=${this.seen.enterSends ? "send" : "enter"}
          @input=${this.#typed}
          @keydown=${this.#key}
          @paste=${this.#paste}
          @blur=${close}
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
        ? html`<button type="button" class="icon-button" aria-label=${t("compose.record")} title=${t("compose.record")} @click=${this.#record}>
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

/** Whether this browser and this page may record: only pages over TLS may. */
function canRecord() {
  return typeof MediaRecorder === "function" && navigator.mediaDevices?.getUserMedia !== undefined;
}

customElements.define("myim-composer", Composer);
