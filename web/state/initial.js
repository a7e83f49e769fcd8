/** @import { State } from "../types.js" */
import { loadPreferences } from "./preferences.js";

/** @returns {State} what is known before anything was asked */
export function initialState() {
  return {
    route: { page: "chats", parts: [], query: new URLSearchParams() },
    server: null,
    me: null,
    link: "connecting",
    linkRetryAt: 0,
    endedBy: null,
    notLoaded: false,
    conversations: new Map(),
    conversationsLoaded: false,
    windows: new Map(),
    pending: new Map(),
    users: new Map(),
    contacts: new Map(),
    contactsLoaded: false,
    contactLists: [],
    requests: [],
    blocks: new Map(),
    groups: new Map(),
    members: new Map(),
    presence: new Map(),
    typing: new Map(),
    drafts: new Map(),
    preferences: loadPreferences(),
  };
}
