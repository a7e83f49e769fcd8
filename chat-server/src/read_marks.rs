//! The read marks of those who write: who writes has read what stands before.
//!
//! They are gathered for a second and written with one of the next batches, so that a message
//! does not cost two changes; whoever asks for his conversations meanwhile has his written at once.
//! What is lost when the server is killed is written again with the next message. Nobody is told:
//! the message itself says it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::id::{ConvId, Seq, UserId};
use common::store::place::PlaceChange;
use common::store::{Change, StoreError};
use tokio_util::sync::CancellationToken;

use crate::app::App;

const GATHER_FOR: Duration = Duration::from_secs(1);
/// So many marks wait at the most; more are forgotten, which only shows as unread what its reader
/// answered.
const WAITING_MAX: usize = 65_536;

/// How many are handed in before their outcomes are looked at.
const WRITTEN_MAX: usize = 256;

pub(crate) type Mark = ((UserId, ConvId), Seq);

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

    fn all(&self) -> Vec<Mark> {
        let waiting = self.lock();
        waiting.iter().map(|(key, seq)| (*key, *seq)).collect()
    }

    /// How far the user has read by writing, as far as it is not in the database yet.
    pub(crate) fn of_user(&self, user: UserId) -> Vec<Mark> {
        let range = (user, ConvId(u64::MIN))..=(user, ConvId(u64::MAX));
        let waiting = self.lock();
        let marks = waiting.range(range);
        marks.map(|(key, seq)| (*key, *seq)).collect()
    }

    /// This mark is in the database, or will never be.
    fn settle(&self, (key, seq): Mark) {
        let mut waiting = self.lock();
        if waiting.get(&key).is_some_and(|furthest| *furthest <= seq) {
            waiting.remove(&key);
        }
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
        write(&app, app.log.own_marks().all()).await;
        if !goes_on {
            return;
        }
    }
}

/// Writes what was gathered of this user: whoever asks for his conversations is told what he has
/// read, and what he has not is counted from there. Where nothing can be saved he is told what is in
/// the database: who only reads needs no room on the disk.
pub async fn write_of(app: &App, user: UserId) {
    write(app, app.log.own_marks().of_user(user)).await;
}

/// A mark that could not be written now goes on waiting; one that never can be holds up no other.
async fn write(app: &App, marks: Vec<Mark>) {
    for some in marks.chunks(WRITTEN_MAX) {
        if let Err(error) = write_some(app, some).await {
            tracing::debug!(%error, "read marks of those who write wait longer");
            return;
        }
    }
}

async fn write_some(app: &App, marks: &[Mark]) -> Result<(), StoreError> {
    let mut under_way = Vec::with_capacity(marks.len());
    for mark in marks {
        let ((user, conv), seq) = *mark;
        let change = Change::Place(PlaceChange::Read { user, conv, seq });
        under_way.push((*mark, app.log.submit(change).await?));
    }
    for (mark, pending) in under_way {
        match pending.outcome().await {
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => tracing::warn!(%error, "a read mark was not written"),
            Ok(_written_or_refused) => {}
        }
        app.log.own_marks().settle(mark);
    }
    Ok(())
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
        assert_eq!(marks.all(), [((ann, conv), Seq(5))]);
    }

    #[test]
    fn a_mark_that_moved_on_while_it_was_written_is_written_again() {
        let marks = OwnMarks::default();
        let (ann, conv) = (UserId(1), ConvId::direct(UserId(1), UserId(2)));
        marks.note(ann, conv, Seq(3));
        marks.note(UserId(2), conv, Seq(3));
        assert_eq!(marks.of_user(ann), [((ann, conv), Seq(3))]);
        marks.note(ann, conv, Seq(4));
        marks.settle(((ann, conv), Seq(3)));
        assert_eq!(marks.of_user(ann), [((ann, conv), Seq(4))]);
        marks.settle(((ann, conv), Seq(4)));
        assert!(marks.of_user(ann).is_empty());
    }
}
