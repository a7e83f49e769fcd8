//! Which changes may have been saved without anybody hearing of it: the database did not say.
//!
//! When such a change comes again, from the committer or from its client, whom it concerns is told.
//! All other repetitions are news to nobody.

use std::collections::{HashSet, VecDeque};

use common::api::Origin;
use common::id::{ClientId, UserId};
use common::store::Change;
use common::store::bot::BotChange;
use common::store::group::GroupChange;
use common::store::message::MessageChange;

/// How many are remembered, about a megabyte: eight full batches. Beyond, the oldest is forgotten:
/// who is on line hears of it with the next entry of its conversation.
const REMEMBERED_MAX: usize = 8_192;

type Name = (UserId, ClientId);

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    open: HashSet<Name>,
    /// Oldest first; may name some that are settled.
    order: VecDeque<Name>,
}

impl Doubts {
    /// Nobody knows whether this was saved.
    pub(super) fn note(&mut self, change: &Change) {
        let Some(name) = origin(change).map(name) else {
            return;
        };
        if !self.open.insert(name.clone()) {
            return;
        }
        self.order.push_back(name);
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.open.remove(&oldest);
        }
    }

    /// It is known now what became of this change; `true` if that was in doubt.
    pub(super) fn settle(&mut self, change: &Change) -> bool {
        if self.open.is_empty() {
            return false;
        }
        let is_open = origin(change).is_some_and(|origin| self.open.remove(&name(origin)));
        if self.open.is_empty() {
            self.order.clear();
        }
        is_open
    }
}

fn name(origin: &Origin) -> Name {
    (origin.user, origin.client_id.clone())
}

/// By what a change is recognized when it comes again, if it is by a name of its author's.
fn origin(change: &Change) -> Option<&Origin> {
    match change.inner() {
        Change::Append(append) => Some(&append.origin),
        Change::RequestFriend { origin, .. }
        | Change::AnswerFriend { origin, .. }
        | Change::RemoveFriend { origin, .. }
        | Change::CreateGroup { origin, .. }
        | Change::JoinGroup { origin, .. }
        | Change::LeaveGroup { origin, .. }
        | Change::Bot(BotChange::Create { origin, .. })
        | Change::Message(
            MessageChange::Recall { origin, .. }
            | MessageChange::Edit { origin, .. }
            | MessageChange::React { origin, .. },
        )
        | Change::Group(
            GroupChange::Add { origin, .. }
            | GroupChange::Remove { origin, .. }
            | GroupChange::SetMember { origin, .. }
            | GroupChange::Transfer { origin, .. }
            | GroupChange::Set { origin, .. }
            | GroupChange::Dissolve { origin, .. }
            | GroupChange::RequestJoin { origin, .. }
            | GroupChange::AnswerJoin { origin, .. },
        ) => Some(origin),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use common::id::{DeviceId, GroupId, Millis};

    use super::*;

    fn leave(number: usize) -> Change {
        Change::LeaveGroup {
            group: GroupId(300_000_000),
            origin: Origin {
                user: UserId(1),
                device: DeviceId(1),
                client_id: ClientId::new(format!("c{number}")).unwrap(),
                tag: 0,
                at: Millis(0),
            },
        }
    }

    #[test]
    fn a_doubt_is_settled_once() {
        let mut doubts = Doubts::default();
        assert!(!doubts.settle(&leave(1)));
        doubts.note(&leave(1));
        doubts.note(&leave(1));
        doubts.note(&leave(2));
        assert!(doubts.settle(&leave(1)));
        assert!(!doubts.settle(&leave(1)));
        assert!(doubts.settle(&leave(2)));
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut doubts = Doubts::default();
        (0..=REMEMBERED_MAX).for_each(|number| doubts.note(&leave(number)));
        assert!(!doubts.settle(&leave(0)));
        assert!(doubts.settle(&leave(1)));
        assert!(doubts.settle(&leave(REMEMBERED_MAX)));
    }
}
