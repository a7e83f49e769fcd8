//! Whom a change concerns, as far as nobody can know who does not look into the change.
//!
//! Small, so that it can be kept for many changes: a change itself may be as large as a message.

use common::id::{ConvId, ConvKind, DeviceId, GroupId, UserId};
use common::store::group::{self, GroupChange};
use common::store::{Change, Store, StoreError};

use crate::hub::Hub;

/// Whom a change concerns besides the conversation of its first entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concern {
    Nobody,
    /// A message; this device wrote it and has no need to be woken.
    Message(UserId, DeviceId),
    /// Whoever made a group, whose number only the database knows.
    Founder(UserId),
    /// Somebody who came into a group, or left it.
    Member(GroupId, UserId),
    /// All who were in a group.
    Members(GroupId),
    /// All who decide who comes into a group.
    Deciders(GroupId),
    /// Somebody with an entry in the inbox.
    Inbox(UserId),
}

/// What has to be put right, and where there is something to hear, besides in the conversation of
/// the first entry.
#[derive(Debug, Default)]
pub(super) struct Concerned {
    pub group: Option<GroupId>,
    /// Those who may be members of the group now, or no longer.
    pub members: Vec<UserId>,
    pub inboxes: Vec<UserId>,
}

impl Concern {
    pub(super) fn of(change: &Change) -> Self {
        match change.inner() {
            Change::Append(append) => Self::Message(append.origin.user, append.origin.device),
            Change::CreateGroup { origin, .. } => Self::Founder(origin.user),
            Change::JoinGroup { origin, group, .. } | Change::LeaveGroup { origin, group } => {
                Self::Member(*group, origin.user)
            }
            Change::Group(
                GroupChange::Add { group, user, .. }
                | GroupChange::Remove { group, user, .. }
                | GroupChange::AnswerJoin { group, user, .. },
            ) => Self::Member(*group, *user),
            Change::Group(GroupChange::Dissolve { group, .. }) => Self::Members(*group),
            Change::Group(GroupChange::RequestJoin { group, .. }) => Self::Deciders(*group),
            Change::AnswerFriend { origin, .. } | Change::RemoveFriend { origin, .. } => {
                Self::Inbox(origin.user)
            }
            _ => Self::Nobody,
        }
    }

    /// Who that is now. `conv` is where the first entry of the change stands.
    pub(super) async fn look_up(
        self,
        store: &dyn Store,
        hub: &Hub,
        conv: ConvId,
    ) -> Result<Concerned, StoreError> {
        let member = |group: GroupId, user: UserId| Concerned {
            group: Some(group),
            members: vec![user],
            inboxes: vec![user],
        };
        let inboxes = |inboxes| Concerned {
            inboxes,
            ..Concerned::default()
        };
        Ok(match self {
            Self::Nobody | Self::Message(..) => Concerned::default(),
            Self::Founder(user) => match conv.kind() {
                Some(ConvKind::Group(group)) => member(group, user),
                Some(ConvKind::Direct(..) | ConvKind::Inbox(_)) | None => Concerned::default(),
            },
            Self::Member(group, user) => member(group, user),
            Self::Members(group) => {
                let members = hub.members_online(group);
                Concerned {
                    group: Some(group),
                    inboxes: members.clone(),
                    members,
                }
            }
            Self::Deciders(group) => inboxes(group::deciders(store, group).await?),
            Self::Inbox(user) => inboxes(vec![user]),
        })
    }
}
