/**
 * The shapes that modules pass to each other, for the type checker only.
 * Those of the API are described in docs/protocol/api.md; fields are named as they travel.
 */

export interface User {
  id: string;
  username: string;
  nickname: string;
  bot?: true;
  /** `builtin:N`, or the name of a picture on the image server. */
  avatar: string;
  signature?: string;
  gender: number;
  birthday?: string;
  phone?: string;
  mail?: string;
  address?: string;
  /** Only of oneself: an administrator of the server. */
  admin?: boolean;
}

export type Segment =
  | { type: "text"; text: string }
  | { type: "face"; id: number }
  | { type: "image"; file: string; width: number; height: number; size: number; name?: string; thumbhash?: string }
  | { type: "file"; file: string; name: string; size: number; mime: string }
  | { type: "nudge" }
  | { type: "mention"; user_id: string }
  | { type: "custom"; data: unknown };

export interface Reaction {
  emoji: string;
  count: number;
  users: string[];
}

export interface Message {
  conversation: string;
  seq: number;
  sender: string;
  time: string;
  client_id: string;
  segments: Segment[];
  reply_to?: number;
  forwarded_from?: { user_id: string; nickname: string };
  edited_at?: string;
  recalled_at?: string;
  reactions?: Reaction[];
  notice?: Notice;
}

export interface Notice {
  type:
    | "group_created"
    | "member_joined"
    | "member_left"
    | "member_added"
    | "member_removed"
    | "member_changed"
    | "owner_changed"
    | "group_changed";
  name?: string;
  user_id?: string;
  role?: Role;
  muted?: boolean;
  muted_until?: string;
  nickname?: string;
  avatar?: string;
  announcement?: string;
  join?: JoinPolicy;
  invite?: InvitePolicy;
}

export type Role = "owner" | "admin" | "member";
export type JoinPolicy = "open" | "approval" | "closed";
export type InvitePolicy = "members" | "admins";
export type Notify = "all" | "mentions" | "nothing";

export interface Conversation {
  id: string;
  kind: "direct" | "group";
  peer?: User;
  group?: { id: string; name: string; avatar?: string; members: number };
  last_seq: number;
  active_at: string;
  last_message: Message | null;
  read_seq: number;
  peer_read_seq?: number;
  /** How far a device of the peer has got it; servers before 0.2 do not tell. */
  peer_delivered_seq?: number;
  unread: number;
  mentions: number;
  notify: Notify;
  muted: boolean;
  pinned: boolean;
  hidden: boolean;
}

export interface Contact {
  user: User;
  remark: string;
  list: string;
}

export interface ContactRequest {
  id: string;
  direction: "incoming" | "outgoing";
  from: string;
  to: string;
  user: User;
  note: string;
  time: string;
}

export interface Group {
  id: string;
  conversation: string;
  name: string;
  avatar?: string;
  announcement: string;
  owner: string | null;
  join: JoinPolicy;
  invite: InvitePolicy;
  muted: boolean;
  members: number;
  role?: Role;
  nickname?: string;
}

export interface GroupMember {
  user: User;
  role: Role;
  nickname?: string;
  muted_until?: string;
}

export interface Presence {
  user_id: string;
  status: "online" | "away" | "offline";
  client?: string;
  last_seen?: string;
}

/** What `GET /api/v1/server` says. */
export interface ServerInfo {
  name: string;
  version: string;
  registration: "open" | "invite" | "closed";
  direct_messages: "friends" | "everyone";
  file_url: string;
  image_url: string;
  limits: Record<string, number>;
}

/** Who is signed in in this browser. One for each account. */
export interface Account {
  user_id: string;
  username: string;
  token: string;
  session_id: string;
}

/** A stretch of the history that is loaded, without a gap between its ends. */
export interface HistoryWindow {
  /** In ascending `seq`. */
  messages: Message[];
  /** There is nothing older. */
  atStart: boolean;
  /** Everything newer is here too. */
  atEnd: boolean;
  loading: boolean;
  /** Why the last loading failed. */
  error: import("./net/problem.js").Problem | null;
}

/** A message that is not on the server yet. */
export interface PendingMessage {
  client_id: string;
  conversation: string;
  segments: Segment[];
  reply_to?: number;
  forward?: { conversation: string; seq: number };
  /** Milliseconds since 1970. */
  created: number;
  /** `uploading` while files go up, `failed` if the server refused it. */
  state: "uploading" | "queued" | "sending" | "failed";
  error?: { code: string; detail: string };
  /** Files that have to go up before it can be sent, as placeholders among the segments. */
  uploads?: PendingUpload[];
}

export interface PendingUpload {
  id: string;
  name: string;
  size: number;
  mime: string;
  picture: boolean;
  /** Bytes that the server has. */
  sent: number;
  /** An object URL to show a picture by while it goes up. */
  preview?: string;
  error?: string;
  /** Why it does not get on, though it is still tried. */
  hindrance?: string;
}

/** What was typed in a conversation and not sent. */
export interface Draft {
  text: string;
  /** Pieces of the text that stand for something else, as mentions do. */
  marks?: import("./state/marked_text.js").Mark[];
  reply_to?: number;
}

export type LinkState = "connecting" | "online" | "offline" | "ended";

export interface Route {
  /** `chats`, `people`, `settings`, `admin`, … */
  page: string;
  /** What follows, decoded: the id of a conversation, the name of a section. */
  parts: string[];
  query: URLSearchParams;
}

export interface Preferences {
  theme: "system" | "light" | "dark";
  language: "system" | "en" | "zh";
  textSize: "small" | "normal" | "large";
  notifications: boolean;
  sound: boolean;
  /** No sound and no notification until then, milliseconds since 1970; 0 for never. */
  quietUntil: number;
  enterSends: boolean;
}

export interface State {
  route: Route;
  server: ServerInfo | null;
  me: User | null;
  link: LinkState;
  /** When the next attempt to connect is made, milliseconds since 1970; 0 for none. */
  linkRetryAt: number;
  /** Why there is no sign-in any more, a code of the API. */
  endedBy: string | null;
  /** What an account needs did not come: the page has to be loaded anew. */
  notLoaded: boolean;
  conversations: Map<string, Conversation>;
  conversationsLoaded: boolean;
  windows: Map<string, HistoryWindow>;
  pending: Map<string, PendingMessage[]>;
  users: Map<string, User>;
  contacts: Map<string, Contact>;
  contactsLoaded: boolean;
  contactLists: string[];
  requests: ContactRequest[];
  blocks: Map<string, User>;
  groups: Map<string, Group>;
  members: Map<string, GroupMember[]>;
  presence: Map<string, Presence>;
  /** By conversation, who types, and until when it is shown (milliseconds since 1970). */
  typing: Map<string, Map<string, number>>;
  drafts: Map<string, Draft>;
  preferences: Preferences;
}

/** An event of the WebSocket, docs/protocol/api.md section 9. */
export type ServerEvent = { event: string; conversation?: string; seq?: number } & Record<string, any>;
