//! One request at a time works on an upload, and the newest comes first.
//!
//! A client that lost its connection comes back on another one while the server still listens to the
//! old. So a new request does not wait for the old one to end: it asks it to save what it has and to
//! go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Waiting, OwnedMutexGuard};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::blob::UploadId;
use crate::transfer::http::problem::Problem;

/// The one before needs to write what it has: a piece of half a megabyte, and an fsync under load.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// The uploads on which requests work.
#[derive(Clone, Debug, Default)]
pub(in crate::transfer) struct Turns {
    slots: Arc<Mutex<HashMap<UploadId, Slot>>>,
}

#[derive(Debug)]
struct Slot {
    turn: Arc<Waiting<()>>,
    /// Of the request that came last.
    newest: CancellationToken,
    requests: usize,
}

/// The right to work on an upload.
#[derive(Debug)]
pub(super) struct Turn {
    /// Cancelled when a newer request came.
    pub(super) preempted: CancellationToken,
    held: Arc<Held>,
}

/// Kept by the request, and by writes that go on when the request is gone.
#[derive(Debug)]
pub(super) struct Held {
    _turn: OwnedMutexGuard<()>,
    _ticket: Ticket,
}

/// Counts a request as long as it is there.
#[derive(Debug)]
struct Ticket {
    turns: Turns,
    id: UploadId,
}

impl Turns {
    /// Waits until it is this request's turn.
    ///
    /// # Errors
    /// 423 if a still newer request came, or the one before does not end.
    pub(super) async fn take(&self, id: UploadId) -> Result<Turn, Problem> {
        let preempted = CancellationToken::new();
        let (turn, ticket) = {
            let mut slots = self.lock();
            let slot = slots.entry(id).or_insert_with(|| Slot {
                turn: Arc::default(),
                newest: CancellationToken::new(),
                requests: 0,
            });
            let older = std::mem::replace(&mut slot.newest, preempted.clone());
            older.cancel();
            slot.requests += 1;
            let turns = self.clone();
            (Arc::clone(&slot.turn), Ticket { turns, id })
        };
        let taken = tokio::select! {
            biased;
            () = preempted.cancelled() => return Err(Problem::locked()),
            taken = timeout(WAIT_MAX, turn.lock_owned()) => taken,
        };
        let turn = taken.map_err(|_| Problem::locked())?;
        let held = Arc::new(Held {
            _turn: turn,
            _ticket: ticket,
        });
        Ok(Turn { preempted, held })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UploadId, Slot>> {
        // Nothing in here panics half-way.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// What keeps the turn.
    pub(super) fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut slots = self.turns.lock();
        if let Some(slot) = slots.get_mut(&self.id) {
            slot.requests -= 1;
            if slot.requests == 0 {
                slots.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_gets_the_turn_when_the_oldest_lets_go() {
        let turns = Turns::default();
        let id = UploadId::random().unwrap();
        let first = turns.take(id).await.unwrap();
        let second = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(id).await.map(drop) }
        });
        first.preempted.cancelled().await;
        let third = tokio::spawn({
            let turns = turns.clone();
            async move {
                turns
                    .take(id)
                    .await
                    .map(|turn| turn.preempted.is_cancelled())
            }
        });
        // The one that waited is told that it waits in vain.
        assert_eq!(second.await.unwrap().unwrap_err().status, 423);
        // A write that outlives its request keeps the turn.
        let write = first.held();
        drop(first);
        assert!(!third.is_finished());
        drop(write);
        assert!(!third.await.unwrap().unwrap());
        assert!(turns.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let turns = Turns::default();
        let id = UploadId::random().unwrap();
        let _stuck = turns.take(id).await.unwrap();
        assert_eq!(turns.take(id).await.unwrap_err().status, 423);
        let other = UploadId::random().unwrap();
        turns.take(other).await.unwrap();
    }
}
