//! What stands in a conversation's log.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{GroupSettings, Role, Segment};
use crate::id::{ClientId, ConvId, DeviceId, GroupId, Millis, Peer, Seq, UserId};

/// Who caused an entry, from where, and under which name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub user: UserId,
    pub device: DeviceId,
    pub client_id: ClientId,
    /// The number the sending client gave its request. The existing clients' protocol repeats it
    /// to the receivers; nobody decides anything by it.
    pub tag: i32,
    /// When the server took the request. The log never lets time run backwards in one
    /// conversation: the entry's own time may be later.
    pub at: Millis,
}

/// One entry of a log, as it is stored and as every reader sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub conv: ConvId,
    pub seq: Seq,
    pub origin: Origin,
    pub body: Body,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A chat message, kept byte for byte as its author sent it; the dialect says how to read it,
    /// and a protocol that speaks another one translates when it delivers.
    Message { dialect: Dialect, content: Bytes },
    /// Something the server says about people and groups.
    Notice(Notice),
}

/// The format of a message's content. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The chat JSON of the existing Windows and Android clients.
    Flamingo = 1,
    /// The segments of the HTTP and WebSocket API, see [`super::SegmentedContent`].
    Segments = 2,
}

/// Facts about contacts and groups. Stored as JSON: variants and fields are never renamed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// In the asked user's inbox: the entry's sender wants to be a contact.
    FriendRequested {
        username: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// In the asking user's inbox: the entry's sender said yes or no.
    FriendAnswered { username: String, accepted: bool },
    /// In the removed user's inbox: the entry's sender ended the friendship.
    FriendRemoved { username: String },
    /// In the actor's own inbox, for his other devices: his contacts changed.
    ContactsChanged { peer: Peer },
    /// In a group, as its first entry.
    GroupCreated { name: String },
    /// In a group: the entry's sender is a member now.
    MemberJoined,
    /// In a group: the entry's sender is no member any more.
    MemberLeft,
    /// In a group: the entry's sender made this user a member.
    MemberAdded { user: UserId },
    /// In a group: the entry's sender took this user out.
    MemberRemoved { user: UserId },
    /// In a group: role, silence or nickname of a member changed. What is `None` did not change.
    MemberChanged {
        user: UserId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        /// Until when the member may not write; 0 for "may write".
        #[serde(default, skip_serializing_if = "Option::is_none")]
        muted_until: Option<Millis>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nickname: Option<String>,
    },
    /// In a group: it belongs to this user now.
    OwnerChanged { user: UserId },
    /// In a group: name, announcement or rules changed. What is `None` did not change.
    GroupChanged {
        #[serde(flatten)]
        settings: GroupSettings,
    },
    /// In a member's inbox: the entry's sender dissolved the group.
    GroupDissolved { group: GroupId, name: String },
    /// In the inbox of a group's owner and admins: the entry's sender asks to be a member.
    JoinRequested {
        group: GroupId,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// In the inbox of who asked to be a member: an admin, the entry's sender, said yes or no.
    JoinAnswered { group: GroupId, accepted: bool },

    /// The message at this place was taken back.
    MessageRecalled { seq: Seq },
    /// The message at this place has other segments now.
    MessageEdited { seq: Seq, segments: Vec<Segment> },
    /// The entry's sender added or took back a reaction to the message at this place.
    ReactionChanged {
        seq: Seq,
        emoji: String,
        added: bool,
    },
}
