import { LazyPart } from "../ui/lazy.js";
import { CONVERSATION, SIGNED_IN } from "./preloads.js";

/**
 * What is loaded when: everything but the sign-in page comes when it is needed. A test looks whether
 * each part has the texts that its modules show.
 */

/** What somebody works with who is signed in. */
export const signedIn = new LazyPart(() => import("./signed_in.js"), {
  modules: SIGNED_IN,
  styles: ["shell", "lists", "chat", "message", "compose", "attachments"],
  texts: ["chat", "compose", "lists"],
});

// Pages

export const conversation = new LazyPart(() => import("./chats/conversation.js"), { modules: CONVERSATION });
export const people = new LazyPart(() => import("./people/people_page.js"), { styles: ["people", "settings"], texts: ["people"] });
export const settings = new LazyPart(() => import("./settings/settings_page.js"), { styles: ["settings"], texts: ["settings"] });
export const admin = new LazyPart(() => import("./admin/admin_page.js"), { styles: ["settings", "admin"], texts: ["admin", "settings"] });

// Windows, and what else is rarely asked for

export const attachDialog = new LazyPart(() => import("./chats/attach_dialog.js"));
export const avatarCrop = new LazyPart(() => import("./people/avatar_crop.js"), { styles: ["people"], texts: ["people"] });
export const chooseMember = new LazyPart(() => import("./people/choose_member.js"), { styles: ["people"], texts: ["people"] });
export const createGroup = new LazyPart(() => import("./people/create_group_dialog.js"), { styles: ["people"], texts: ["people"] });
export const emojiPicker = new LazyPart(() => import("./chats/emoji_picker.js"));
export const forwardDialog = new LazyPart(() => import("./chats/forward_dialog.js"));
export const lightbox = new LazyPart(() => import("./chats/lightbox.js"));
export const newChat = new LazyPart(() => import("./chats/new_chat_dialog.js"));
export const switcher = new LazyPart(() => import("./chats/switcher.js"));
export const voiceRecorder = new LazyPart(() => import("./chats/voice_recorder.js"));
