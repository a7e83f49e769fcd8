//! The numbers of the Flamingo protocol: commands, reply codes, statuses, client types.
//!
//! A table only; who may say what when is the server's business.

/// The chat server's usual port.
pub const CHAT_PORT: u16 = 20000;
/// The file server's usual port.
pub const FILE_PORT: u16 = 20001;
/// The image server's usual port.
pub const IMAGE_PORT: u16 = 20002;

pub const HEARTBEAT: i32 = 1000;
pub const REGISTER: i32 = 1001;
pub const LOGIN: i32 = 1002;
pub const FRIEND_LIST: i32 = 1003;
pub const FIND_USER: i32 = 1004;
/// Apply, answer, remove, join and leave; see [`operate`].
pub const OPERATE_FRIEND: i32 = 1005;
/// A status of one's own going up, a status or profile of others coming down; see [`notice`].
pub const USER_STATUS: i32 = 1006;
pub const UPDATE_INFO: i32 = 1007;
pub const CHANGE_PASSWORD: i32 = 1008;
pub const CREATE_GROUP: i32 = 1009;
pub const GROUP_MEMBERS: i32 = 1010;
pub const CHAT: i32 = 1100;
pub const MULTI_CHAT: i32 = 1101;
/// Only downwards: another device of the same type took this session's place.
pub const KICKED: i32 = 1102;
pub const REMOTE_DESKTOP: i32 = 1103;
/// The answer to this and the next two is [`FRIEND_LIST`].
pub const UPDATE_TEAMS: i32 = 1104;
pub const SET_MARK: i32 = 1105;
pub const MOVE_FRIEND: i32 = 1106;

/// A command's name, for logs; `None` for a number that means nothing.
pub fn name(command: i32) -> Option<&'static str> {
    Some(match command {
        HEARTBEAT => "heartbeat",
        REGISTER => "register",
        LOGIN => "login",
        FRIEND_LIST => "friend_list",
        FIND_USER => "find_user",
        OPERATE_FRIEND => "operate_friend",
        USER_STATUS => "user_status",
        UPDATE_INFO => "update_info",
        CHANGE_PASSWORD => "change_password",
        CREATE_GROUP => "create_group",
        GROUP_MEMBERS => "group_members",
        CHAT => "chat",
        MULTI_CHAT => "multi_chat",
        KICKED => "kicked",
        REMOTE_DESKTOP => "remote_desktop",
        UPDATE_TEAMS => "update_teams",
        SET_MARK => "set_mark",
        MOVE_FRIEND => "move_friend",
        _ => return None,
    })
}

/// The member `code` of a reply.
pub mod code {
    pub const OK: i32 = 0;
    pub const UNKNOWN: i32 = 1;
    pub const NOT_LOGGED_IN: i32 = 2;
    pub const REGISTER_FAILED: i32 = 100;
    pub const ALREADY_REGISTERED: i32 = 101;
    pub const NOT_REGISTERED: i32 = 102;
    pub const WRONG_PASSWORD: i32 = 103;
    pub const UPDATE_INFO_FAILED: i32 = 104;
    pub const CHANGE_PASSWORD_FAILED: i32 = 105;
    pub const CREATE_GROUP_FAILED: i32 = 106;
    pub const CLIENT_TOO_OLD: i32 = 107;
    pub const SET_MARK_FAILED: i32 = 108;
    pub const TEAM_EXISTS: i32 = 109;
}

/// The member `type` of [`OPERATE_FRIEND`].
pub mod operate {
    /// Going up: asks to be friends, or joins a group.
    pub const APPLY: i32 = 1;
    /// Coming down: somebody asks to be friends.
    pub const APPLICATION: i32 = 2;
    /// Either way: the answer to an application; see `accept`.
    pub const ANSWER: i32 = 3;
    /// Going up: removes a friend, or leaves a group.
    pub const REMOVE: i32 = 4;
    /// Coming down: a friend is removed, a group left.
    pub const REMOVED: i32 = 5;
}

/// The member `accept` of an [`operate::ANSWER`].
pub mod accept {
    pub const REFUSED: i32 = 0;
    pub const ACCEPTED: i32 = 1;
    /// The one who joined a group reads this.
    pub const JOINED: i32 = 3;
}

/// The member `type` of a [`USER_STATUS`] coming down.
pub mod notice {
    pub const ONLINE: i32 = 1;
    pub const OFFLINE: i32 = 2;
    /// A user's profile or a group's membership changed.
    pub const PROFILE: i32 = 3;
}

/// The operations of [`UPDATE_TEAMS`].
pub mod team {
    pub const ADD: i32 = 0;
    pub const DELETE: i32 = 1;
    pub const RENAME: i32 = 2;
}

/// The member `status` of a login, `onlinestatus` of a notice.
pub mod status {
    pub const OFFLINE: i32 = 0;
    pub const PC_ONLINE: i32 = 1;
    pub const PC_INVISIBLE: i32 = 2;
    pub const ANDROID_CELLULAR: i32 = 3;
    pub const ANDROID_WIFI: i32 = 4;
    pub const IOS: i32 = 5;
    pub const MAC: i32 = 6;
}

/// The member `clienttype` of a login.
pub mod client_type {
    pub const UNKNOWN: i32 = 0;
    pub const PC: i32 = 1;
    pub const ANDROID: i32 = 2;
    pub const IOS: i32 = 3;
    pub const MAC: i32 = 4;
}

/// The member `msgType` of a chat message. No server looks at it.
pub mod message_type {
    pub const TEXT: i32 = 1;
    /// The picture announced before is uploaded now.
    pub const PICTURE_UPLOADED: i32 = 2;
    /// A picture from a phone, already uploaded.
    pub const PHONE_PICTURE: i32 = 5;
}
