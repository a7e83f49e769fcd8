//! Groups and who is in them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConversationId, GroupId, InvitePolicy, JoinPolicy, Role, User, UserId, decimal, time};

/// A group as the one who asks may see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    #[serde(with = "decimal")]
    pub id: GroupId,
    #[serde(with = "decimal")]
    pub conversation: ConversationId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    pub announcement: String,
    #[serde(default, with = "decimal::option")]
    pub owner: Option<UserId>,
    pub join: JoinPolicy,
    pub invite: InvitePolicy,
    pub muted: bool,
    pub members: u32,
    /// What one is in the group oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// What to change about a group; what is `None` stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct GroupEdit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announcement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite: Option<InvitePolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupMember {
    pub user: User,
    pub role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    #[serde(
        default,
        with = "time::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub muted_until: Option<Timestamp>,
}
