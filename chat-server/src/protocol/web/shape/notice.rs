//! The JSON of what the server says in a group.

use common::api::{GroupSettings, InvitePolicy, JoinPolicy, Notice as Stored, Role};
use common::id::Millis;
use serde::Serialize;
use utoipa::ToSchema;

use super::Timestamp;

/// What happened in a group. The one who did it is the entry's sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = GroupNotice)]
pub(crate) enum Notice {
    /// The sender made the group.
    GroupCreated { name: String },
    /// The sender is a member now.
    MemberJoined {},
    /// The sender is no member any more.
    MemberLeft {},
    /// The sender made this user a member.
    MemberAdded { user_id: String },
    /// The sender took this user out.
    MemberRemoved { user_id: String },
    /// Role, silence or nickname of a member changed. What is left out did not change.
    MemberChanged {
        user_id: String,
        /// `owner`, `admin` or `member`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        role: Option<&'static str>,
        /// The member may not write.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        muted: Option<bool>,
        /// Until when.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false, format = DateTime)]
        muted_until: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        nickname: Option<String>,
    },
    /// The group belongs to this user now.
    OwnerChanged { user_id: String },
    /// Name, picture, announcement or rules changed. What is left out did not change.
    GroupChanged {
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        avatar: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        announcement: Option<String>,
        /// `open`, `approval` or `closed`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        join: Option<&'static str>,
        /// `members` or `admins`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        invite: Option<&'static str>,
        /// Only owner and admins may write.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        muted: Option<bool>,
    },
}

/// A notice of a group; `None` for what stands in inboxes and for what is said about a message.
pub(super) fn of_group(stored: &Stored) -> Option<Notice> {
    let notice = match stored {
        Stored::GroupCreated { name } => Notice::GroupCreated { name: name.clone() },
        Stored::MemberJoined => Notice::MemberJoined {},
        Stored::MemberLeft => Notice::MemberLeft {},
        Stored::MemberAdded { user } => Notice::MemberAdded {
            user_id: user.to_string(),
        },
        Stored::MemberRemoved { user } => Notice::MemberRemoved {
            user_id: user.to_string(),
        },
        Stored::MemberChanged {
            user,
            role,
            muted_until,
            nickname,
        } => Notice::MemberChanged {
            user_id: user.to_string(),
            role: role.map(role_name),
            muted: muted_until.map(|until| until.0 > 0),
            muted_until: muted_until.and_then(until),
            nickname: nickname.clone(),
        },
        Stored::OwnerChanged { user } => Notice::OwnerChanged {
            user_id: user.to_string(),
        },
        Stored::GroupChanged { settings } => changed(settings),
        Stored::FriendRequested { .. }
        | Stored::FriendAnswered { .. }
        | Stored::FriendRemoved { .. }
        | Stored::ContactsChanged { .. }
        | Stored::GroupDissolved { .. }
        | Stored::JoinRequested { .. }
        | Stored::JoinAnswered { .. }
        | Stored::MessageRecalled { .. }
        | Stored::MessageEdited { .. }
        | Stored::ReactionChanged { .. } => return None,
    };
    Some(notice)
}

fn changed(settings: &GroupSettings) -> Notice {
    Notice::GroupChanged {
        name: settings.name.clone(),
        avatar: settings.avatar.clone(),
        announcement: settings.announcement.clone(),
        join: settings.join.map(|join| match join {
            JoinPolicy::Open => "open",
            JoinPolicy::Approval => "approval",
            JoinPolicy::Closed => "closed",
        }),
        invite: settings.invite.map(|invite| match invite {
            InvitePolicy::Members => "members",
            InvitePolicy::Admins => "admins",
        }),
        muted: settings.muted,
    }
}

fn until(until: Millis) -> Option<String> {
    (until.0 > 0).then(|| Timestamp(until).text())
}

/// A role as the API names it.
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Member => "member",
    }
}

#[cfg(test)]
mod tests {
    use common::id::UserId;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_did_not_change_is_left_out() {
        let silenced = Stored::MemberChanged {
            user: UserId(4),
            role: None,
            muted_until: Some(Millis(1000)),
            nickname: None,
        };
        let wanted = json!({
            "type": "member_changed", "user_id": "4",
            "muted": true, "muted_until": "1970-01-01T00:00:01.000Z",
        });
        assert_eq!(json!(of_group(&silenced)), wanted);
        let renamed = Stored::GroupChanged {
            settings: GroupSettings {
                name: Some("new".to_owned()),
                ..GroupSettings::default()
            },
        };
        let wanted = json!({"type": "group_changed", "name": "new"});
        assert_eq!(json!(of_group(&renamed)), wanted);
    }
}
