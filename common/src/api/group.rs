//! Groups: who may do what in them, and what is told of them.

use serde::{Deserialize, Serialize};

use crate::id::{GroupId, Millis, UserId};

/// What a member may do. Each may do what those below may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Member,
    /// May change the group, take members out and silence them.
    Admin,
    /// There is one. May also make admins, hand the group over and dissolve it.
    Owner,
}

/// How one becomes a member by oneself. The numbers are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinPolicy {
    #[default]
    Open = 0,
    /// An admin has to agree.
    Approval = 1,
    /// Only by being invited.
    Closed = 2,
}

/// Who may invite. The numbers are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitePolicy {
    #[default]
    Members = 0,
    Admins = 1,
}

/// A group as its members see it, besides its profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPolicy {
    pub group: GroupId,
    /// `None` in groups of adopted databases whose owner is gone.
    pub owner: Option<UserId>,
    pub announcement: String,
    pub join: JoinPolicy,
    pub invite: InvitePolicy,
    /// Only owner and admins may write.
    pub muted: bool,
    pub members: u32,
}

/// A change of a group. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSettings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A picture's name on the image server, or its SHA-256; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announcement: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinPolicy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<InvitePolicy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub user: UserId,
    pub role: Role,
    /// The name in this group; empty for the own nickname.
    pub nickname: String,
    /// Until when the member may not write; 0 for "may write".
    pub muted_until: Millis,
}
