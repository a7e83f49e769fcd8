//! Conversations as one user sees them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConversationId, GroupId, Message, Seq, User, decimal, time};

/// A conversation in the user's list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    #[serde(with = "decimal")]
    pub id: ConversationId,
    pub kind: ConversationKind,
    /// The other user of a direct conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<User>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<PeerGroup>,
    /// 0 if nothing was written yet.
    pub last_seq: Seq,
    #[serde(with = "time")]
    pub active_at: Timestamp,
    #[serde(default)]
    pub last_message: Option<Message>,
    pub read_seq: Seq,
    /// How far the other one has read; only in direct conversations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_read_seq: Option<Seq>,
    /// At most 999 are counted.
    pub unread: u32,
    pub mentions: u32,
    pub muted: bool,
    pub notify: Notify,
    pub pinned: bool,
    pub hidden: bool,
}

impl Conversation {
    /// What to call it: the group's name, or the other one's nickname.
    pub fn title(&self) -> &str {
        match (&self.group, &self.peer) {
            (Some(group), _) => &group.name,
            (None, Some(peer)) if !peer.nickname.is_empty() => &peer.nickname,
            (None, Some(peer)) => &peer.username,
            (None, None) => "",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    Direct,
    Group,
}

/// What of a conversation rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    All,
    Mentions,
    Nothing,
}

/// The group of a conversation, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerGroup {
    #[serde(with = "decimal")]
    pub id: GroupId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    pub members: u32,
}

/// How the user wants a conversation; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ConversationEdit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
}
