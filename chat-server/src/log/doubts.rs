//! Which changes may have been saved without anybody hearing of it: the database did not say.
//!
//! When such a change comes again, from the committer or from its client, whom it concerns is told.
//! All other repetitions are news to nobody. What does not come again the database is asked for.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use common::api::Origin;
use common::id::{ClientId, ConvId, UserId};
use common::store::Change;
use common::store::bot::BotChange;
use common::store::group::GroupChange;
use common::store::message::MessageChange;
use tokio::time::Instant;

use super::concern::Concern;

/// How many are remembered, about a megabyte: eight full batches. Beyond, the oldest is forgotten:
/// who is on line hears of it with the next entry of its conversation.
const REMEMBERED_MAX: usize = 8_192;
/// How long after it was noted, or asked for, a change is asked for: longer than a batch is tried
/// again, and than a call of the database takes.
const ASK_AFTER: Duration = Duration::from_secs(5);
/// How often a change is asked for. A database that was frozen in a COMMIT and goes on may answer
/// that nothing is there just before it is.
const QUESTIONS: u8 = 2;
/// How many changes are asked for at once: the committer has other things to do.
const ASKED_MAX: usize = 256;

type Name = (UserId, ClientId);

#[derive(Debug)]
struct Doubt {
    concern: Concern,
    questions_left: u8,
}

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    open: HashMap<Name, Doubt>,
    /// When to ask for which, ascending; may name some that are settled.
    questions: VecDeque<(Instant, Name)>,
}

impl Doubts {
    /// Nobody knows whether this was saved.
    pub(super) fn note(&mut self, change: &Change, now: Instant) {
        let Some(name) = origin(change).map(name) else {
            return;
        };
        let doubt = Doubt {
            concern: Concern::of(change),
            questions_left: QUESTIONS,
        };
        if self.open.insert(name.clone(), doubt).is_some() {
            return;
        }
        self.questions.push_back((now + ASK_AFTER, name));
        if self.questions.len() > REMEMBERED_MAX
            && let Some((_, oldest)) = self.questions.pop_front()
        {
            self.open.remove(&oldest);
        }
    }

    /// It is known now what became of this change; `true` if that was in doubt.
    pub(super) fn settle(&mut self, change: &Change) -> bool {
        if self.open.is_empty() {
            return false;
        }
        let name = origin(change).map(name);
        let is_open = name.is_some_and(|name| self.open.remove(&name).is_some());
        if self.open.is_empty() {
            self.questions.clear();
        }
        is_open
    }

    /// When the database is to be asked next, if there is anything to ask.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.questions.front().map(|(at, _)| *at)
    }

    /// What the database is to be asked for now.
    pub(super) fn due(&self, now: Instant) -> Vec<Name> {
        let due = self.questions.iter().take_while(|(at, _)| *at <= now);
        due.take(ASKED_MAX).map(|(_, name)| name.clone()).collect()
    }

    /// The database was asked for those that were due, and has these of them; answers whom these
    /// concern, and where they stand.
    pub(super) fn answer(
        &mut self,
        asked: &[Name],
        places: &HashMap<Name, ConvId>,
        now: Instant,
    ) -> Vec<(Concern, ConvId)> {
        let mut found = Vec::new();
        self.questions.drain(..asked.len());
        for name in asked {
            let Some(doubt) = self.open.get_mut(name) else {
                continue;
            };
            doubt.questions_left -= 1;
            match places.get(name) {
                Some(conv) => found.push((doubt.concern, *conv)),
                None if doubt.questions_left > 0 => {
                    self.questions.push_back((now + ASK_AFTER, name.clone()));
                    continue;
                }
                None => {}
            }
            self.open.remove(name);
        }
        found
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

    const GROUP: GroupId = GroupId(300_000_000);

    fn leave(number: usize) -> Change {
        Change::LeaveGroup {
            group: GROUP,
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
        let now = Instant::now();
        assert!(!doubts.settle(&leave(1)));
        doubts.note(&leave(1), now);
        doubts.note(&leave(1), now);
        doubts.note(&leave(2), now);
        assert!(doubts.settle(&leave(1)));
        assert!(!doubts.settle(&leave(1)));
        assert!(doubts.settle(&leave(2)));
        assert_eq!(doubts.next_at(), None);
    }

    #[test]
    fn whatever_is_not_there_is_asked_for_twice() {
        let mut doubts = Doubts::default();
        let now = Instant::now();
        doubts.note(&leave(1), now);
        doubts.note(&leave(2), now);
        let named = |number| name(origin(&leave(number)).unwrap());
        let (first, conv) = (now + ASK_AFTER, ConvId::group(GROUP));
        assert_eq!(doubts.next_at(), Some(first));
        assert!(doubts.due(now).is_empty());
        let asked = doubts.due(first);
        assert_eq!(asked, [named(1), named(2)]);
        let places = HashMap::from([(named(2), conv)]);
        let concern = Concern::Member(GROUP, UserId(1));
        assert_eq!(doubts.answer(&asked, &places, first), [(concern, conv)]);
        assert!(!doubts.settle(&leave(2)), "it is known");

        let second = first + ASK_AFTER;
        assert_eq!(doubts.next_at(), Some(second));
        let asked = doubts.due(second);
        assert_eq!(asked, [named(1)]);
        assert!(doubts.answer(&asked, &HashMap::new(), second).is_empty());
        assert_eq!(doubts.next_at(), None);
        assert!(!doubts.settle(&leave(1)), "it was never saved");
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut doubts = Doubts::default();
        let now = Instant::now();
        (0..=REMEMBERED_MAX).for_each(|number| doubts.note(&leave(number), now));
        assert!(!doubts.settle(&leave(0)));
        assert!(doubts.settle(&leave(1)));
        assert!(doubts.settle(&leave(REMEMBERED_MAX)));
    }
}
