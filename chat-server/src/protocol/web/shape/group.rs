//! Groups as the API shows them.

use common::api::{InvitePolicy, JoinPolicy, Profile, Role};
use common::id::{ConvId, GroupId, Millis, Peer, UserId};
use common::store::group;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Decimal, Id, InvitePolicyWord, JoinPolicyWord, RoleWord, Timestamp, User};
use crate::command::{SeenGroup, SeenMember};

/// A group as the one who asks may see it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Group {
    #[schema(value_type = Id)]
    pub(crate) id: Decimal<GroupId>,
    #[schema(value_type = Id)]
    pub(crate) conversation: Decimal<ConvId>,
    pub(crate) name: String,
    /// A picture's name on the image server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) avatar: Option<String>,
    /// Shown to members only; empty for none.
    pub(crate) announcement: String,
    /// Null where the owner of an old group is gone.
    #[schema(value_type = Option<Id>)]
    pub(crate) owner: Option<Decimal<UserId>>,
    /// How one becomes a member by oneself.
    #[schema(value_type = JoinPolicyWord)]
    pub(crate) join: JoinPolicy,
    /// Who may invite.
    #[schema(value_type = InvitePolicyWord)]
    pub(crate) invite: InvitePolicy,
    /// Only owner and admins may write.
    pub(crate) muted: bool,
    /// How many there are.
    pub(crate) members: u32,
    /// What you are in the group; left out for who is no member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RoleWord>, nullable = false)]
    pub(crate) role: Option<Role>,
    /// Your name in the group; left out if you have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) nickname: Option<String>,
}

impl From<SeenGroup> for Group {
    fn from(seen: SeenGroup) -> Self {
        let SeenGroup {
            profile,
            policy,
            own,
        } = seen;
        Self {
            id: Decimal(policy.group),
            conversation: Decimal(ConvId::group(policy.group)),
            name: profile.nickname,
            avatar: Some(profile.avatar.custom).filter(|avatar| !avatar.is_empty()),
            announcement: policy.announcement,
            owner: policy.owner.map(Decimal),
            join: policy.join,
            invite: policy.invite,
            muted: policy.muted,
            members: policy.members,
            role: own.as_ref().map(|own| own.role),
            nickname: own.map(|own| own.nickname).filter(|name| !name.is_empty()),
        }
    }
}

/// A member of a group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupMember {
    pub(crate) user: User,
    #[schema(value_type = RoleWord)]
    pub(crate) role: Role,
    /// The name in the group; left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) nickname: Option<String>,
    /// Until when the member may not write; left out for "may write".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) muted_until: Option<Timestamp>,
}

impl From<SeenMember> for GroupMember {
    fn from(SeenMember { member, profile }: SeenMember) -> Self {
        let until = member.muted_until;
        Self {
            user: profile.into(),
            role: member.role,
            nickname: Some(member.nickname).filter(|name| !name.is_empty()),
            muted_until: (until > Millis(0)).then_some(Timestamp(until)),
        }
    }
}

impl GroupMember {
    /// Where a list goes on behind this member.
    pub(crate) fn number(&self) -> u64 {
        let Decimal(UserId(number)) = self.user.id;
        number.into()
    }
}

/// An open request to become a member.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JoinRequest {
    pub(crate) user: User,
    pub(crate) note: String,
    pub(crate) time: Timestamp,
}

impl From<(group::JoinRequest, Profile)> for JoinRequest {
    fn from((request, profile): (group::JoinRequest, Profile)) -> Self {
        debug_assert_eq!(profile.id, Peer::User(request.user));
        Self {
            user: profile.into(),
            note: request.note,
            time: Timestamp(request.at),
        }
    }
}
