//! Changes that are handed to the database again because it did not say whether it saved them.

use std::collections::{BTreeMap, VecDeque};

use common::id::{ConvId, ConvKind, DeviceId, GroupId, UserId};
use common::store::block::BlockChange;
use common::store::bot::BotChange;
use common::store::group::{self, GroupChange};
use common::store::incoming_hook::IncomingHookChange;
use common::store::outgoing_hook::OutgoingHookChange;
use common::store::session::SessionChange;
use common::store::{Change, Store, StoreError, indexed};

use super::Unindexed;
use crate::hub::Hub;

/// Whether a change may be handed in again: it is recognized by its client id, or changes nothing
/// the second time. Of the others the second one would be refused, or counted twice.
pub(super) fn is_repeatable(change: &Change) -> bool {
    match change {
        Change::Group(GroupChange::DissolveForeign { .. }) => false,
        Change::Append(_)
        | Change::Message(_)
        | Change::Group(_)
        | Change::CreateGroup { .. }
        | Change::JoinGroup { .. }
        | Change::LeaveGroup { .. }
        | Change::RequestFriend { .. }
        | Change::AnswerFriend { .. }
        | Change::RemoveFriend { .. }
        | Change::MoveCursor { .. }
        | Change::Place(_)
        | Change::Meta(_)
        | Change::Search(_)
        | Change::SetPassword { .. }
        | Change::SetProfile { .. }
        | Change::SetRemark { .. }
        | Change::RegisterDevice { .. }
        | Change::NoteLogin { .. }
        | Change::NameBlob { .. }
        | Change::File(_)
        | Change::Block(BlockChange::Add { .. } | BlockChange::Remove { .. }) => true,
        Change::Bot(change) => {
            !matches!(change, BotChange::End { .. } | BotChange::EndToken { .. })
        }
        Change::IncomingHook(change) => !matches!(change, IncomingHookChange::Remove { .. }),
        Change::Session(change) => !matches!(change, SessionChange::End { .. }),
        // Its line in the book would stand there twice, or an invite be used twice.
        Change::Audited { .. } | Change::Invited { .. } => false,
        Change::Admin(_) => true,
        Change::OutgoingHook(change) => !matches!(change, OutgoingHookChange::Delete { .. }),
        Change::CreateAccount { .. }
        | Change::Invite(_)
        | Change::Upgrade(_)
        | Change::EditTeams { .. }
        | Change::MoveContact { .. }
        | Change::CountUpload { .. }
        | Change::People(_) => false,
    }
}

/// The one device that has no need to be woken, if there is one.
type Writer = Option<(UserId, DeviceId)>;

/// Whom a change concerns besides the conversation of its first entry.
struct Concerned {
    group: Option<GroupId>,
    members: Vec<UserId>,
    inboxes: Vec<UserId>,
}

/// How many changes, and how many conversations, are remembered of which nobody has heard. Beyond,
/// one is forgotten: who is on line hears of it with the next entry there.
const UNTOLD_MAX: usize = 8_192;

/// Changes that were saved in doubt and of which nobody has heard yet: the database has to be asked
/// whom they concern, and may not answer at once.
#[derive(Default)]
pub(super) struct Untold {
    /// With the place of the first entry of each.
    changes: VecDeque<(Change, ConvId)>,
    /// Where entries stand that nobody was woken for.
    convs: BTreeMap<ConvId, Writer>,
}

impl Untold {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.convs.is_empty()
    }

    /// This change is saved; its first entry stands in `conv`.
    pub(super) fn add(&mut self, change: &Change, conv: ConvId) {
        if let Change::Append(append) = change {
            let writer = Some((append.origin.user, append.origin.device));
            let of_conv = self.convs.entry(conv).or_insert(writer);
            *of_conv = of_conv.filter(|_| *of_conv == writer);
        } else {
            self.changes.push_back((change.clone(), conv));
        }
        if self.convs.len() > UNTOLD_MAX {
            self.convs.pop_first();
        }
        if self.changes.len() > UNTOLD_MAX {
            self.changes.pop_front();
        }
    }

    /// Tells whom they concern. What the database cannot be asked for now remains to be told.
    pub(super) async fn tell(
        &mut self,
        store: &dyn Store,
        hub: &Hub,
        unindexed: &Unindexed,
    ) -> Result<(), StoreError> {
        while let Some((change, conv)) = self.changes.front() {
            let convs = match catch_up(store, hub, change, *conv).await {
                Err(error) if error.is_passing() => return Err(error),
                Ok(convs) => convs,
                Err(error) => {
                    // Who is on line hears of it when he comes back.
                    tracing::warn!(%error, %conv, "not everybody was told of a change in doubt");
                    vec![*conv]
                }
            };
            self.convs
                .extend(convs.into_iter().map(|conv| (conv, None)));
            self.changes.pop_front();
        }
        unindexed.mark(self.convs.keys().copied());
        match ring(store, hub, &self.convs).await {
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => tracing::warn!(%error, "nobody was told of changes that were in doubt"),
            Ok(()) => {}
        }
        self.convs.clear();
        Ok(())
    }
}

/// Puts right what the hub knows of members after a change that was saved maybe without anybody
/// hearing of it; answers where its entries stand. What the hub knows follows the database and not
/// the entries: since they were written the same user may have come or gone again. `conv` is where
/// the first one stands.
async fn catch_up(
    store: &dyn Store,
    hub: &Hub,
    change: &Change,
    conv: ConvId,
) -> Result<Vec<ConvId>, StoreError> {
    let concerned = concerned(store, hub, change, conv).await?;
    let mut convs = vec![conv];
    convs.extend(concerned.inboxes.into_iter().map(ConvId::inbox));
    let Some(group) = concerned.group else {
        return Ok(convs);
    };
    convs.push(ConvId::group(group));
    for user in concerned.members {
        let is_member = group::member(store, group, user).await?.is_some();
        hub.correct_member(user, group, is_member);
    }
    hub.set_sizes(&group::sizes(store, &[group]).await?);
    Ok(convs)
}

/// Rings for whatever stands in these conversations now: what was in doubt may be older than the
/// newest entry.
async fn ring(
    store: &dyn Store,
    hub: &Hub,
    convs: &BTreeMap<ConvId, Writer>,
) -> Result<(), StoreError> {
    let named: Vec<ConvId> = convs.keys().copied().collect();
    for found in indexed::of(store, &named).await? {
        let writer = convs.get(&found.conv).copied().flatten();
        hub.ring(found.conv, found.head, writer);
    }
    Ok(())
}

async fn concerned(
    store: &dyn Store,
    hub: &Hub,
    change: &Change,
    conv: ConvId,
) -> Result<Concerned, StoreError> {
    let member = |group: GroupId, user: UserId| Concerned {
        group: Some(group),
        members: vec![user],
        inboxes: vec![user],
    };
    let inboxes = |inboxes| Concerned {
        group: None,
        members: Vec::new(),
        inboxes,
    };
    Ok(match change {
        Change::CreateGroup { origin, .. } => match conv.kind() {
            Some(ConvKind::Group(group)) => member(group, origin.user),
            Some(ConvKind::Direct(..) | ConvKind::Inbox(_)) | None => inboxes(Vec::new()),
        },
        Change::JoinGroup { origin, group, .. } | Change::LeaveGroup { origin, group } => {
            member(*group, origin.user)
        }
        Change::Group(
            GroupChange::Add { group, user, .. }
            | GroupChange::Remove { group, user, .. }
            | GroupChange::AnswerJoin { group, user, .. },
        ) => member(*group, *user),
        Change::Group(GroupChange::Dissolve { group, .. }) => {
            let members = hub.members_online(*group);
            Concerned {
                group: Some(*group),
                inboxes: members.clone(),
                members,
            }
        }
        Change::Group(GroupChange::RequestJoin { group, .. }) => {
            inboxes(group::deciders(store, *group).await?)
        }
        Change::AnswerFriend { origin, .. } | Change::RemoveFriend { origin, .. } => {
            inboxes(vec![origin.user])
        }
        _ => inboxes(Vec::new()),
    })
}

#[cfg(test)]
#[path = "repeated_tests.rs"]
mod tests;
