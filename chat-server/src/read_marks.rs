//! The read marks of those who write: who writes has read what stands before.
//!
//! They are gathered for a second and written with one of the next batches, so that a message
//! does not cost two changes. What is lost when the server is killed is written again with the
//! next message. Nobody is told: the message itself says it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::id::{ConvId, Seq, UserId};
use common::store::Change;
use common::store::place::PlaceChange;
use tokio_util::sync::CancellationToken;

use crate::app::App;

const GATHER_FOR: Duration = Duration::from_secs(1);
/// So many marks wait at the most; more are forgotten, which only shows as unread what its reader
/// answered.
const WAITING_MAX: usize = 65_536;

/// See the module's description.
#[derive(Debug, Default)]
pub struct OwnMarks {
    /// In order, so that they are written in the same one each time.
    waiting: Mutex<BTreeMap<(UserId, ConvId), Seq>>,
}

impl OwnMarks {
    /// The user wrote this message.
    pub fn note(&self, user: UserId, conv: ConvId, seq: Seq) {
        let mut waiting = self.lock();
        if waiting.len() < WAITING_MAX || waiting.contains_key(&(user, conv)) {
            let mark = waiting.entry((user, conv)).or_default();
            *mark = seq.max(*mark);
        }
    }

    /// How far the user has read by writing, as far as it is not in the database yet.
    pub fn of(&self, user: UserId, conv: ConvId) -> Seq {
        self.lock().get(&(user, conv)).copied().unwrap_or_default()
    }

    fn take(&self) -> BTreeMap<(UserId, ConvId), Seq> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(UserId, ConvId), Seq>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what was gathered, until `shutdown` and once more then.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    loop {
        let wait = tokio::time::sleep(GATHER_FOR);
        let goes_on = shutdown.run_until_cancelled(wait).await.is_some();
        for ((user, conv), seq) in app.log.own_marks().take() {
            let change = Change::Place(PlaceChange::Read { user, conv, seq });
            if let Err(error) = app.log.submit(change).await {
                tracing::debug!(%error, "the server is stopping");
                return;
            }
        }
        if !goes_on {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_furthest_mark_of_a_conversation_is_written() {
        let marks = OwnMarks::default();
        let (ann, conv) = (UserId(1), ConvId::direct(UserId(1), UserId(2)));
        for seq in [3, 5, 4] {
            marks.note(ann, conv, Seq(seq));
        }
        assert_eq!(marks.take(), BTreeMap::from([((ann, conv), Seq(5))]));
        assert!(marks.take().is_empty());
    }
}
