//! Which conversations have entries that whoever reads behind the log has not seen.
//!
//! The committer marks, which costs it one look into a set; the indexer collects. A conversation
//! that is marked again and again stands there once.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::id::ConvId;
use tokio::sync::Notify;

/// How many conversations are remembered. Beyond, the reader asks the database which they are.
const MARKED_MAX: usize = 65_536;

/// See the module's description.
#[derive(Debug, Default)]
pub struct Unindexed {
    state: Mutex<State>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct State {
    marked: BTreeSet<ConvId>,
    overflowed: bool,
}

impl State {
    fn is_marked(&self) -> bool {
        self.overflowed || !self.marked.is_empty()
    }
}

/// What was marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    /// These conversations.
    These(Vec<ConvId>),
    /// More than were remembered.
    TooMany,
}

impl Unindexed {
    /// Marks conversations that something was appended to.
    pub fn mark(&self, convs: impl IntoIterator<Item = ConvId>) {
        let mut state = self.lock();
        for conv in convs {
            if state.marked.len() < MARKED_MAX {
                state.marked.insert(conv);
            } else if !state.marked.contains(&conv) {
                state.overflowed = true;
            }
        }
        let is_marked = state.is_marked();
        drop(state);
        if is_marked {
            self.bell.notify_one();
        }
    }

    /// How many conversations wait; those that were not remembered are not counted.
    pub fn waiting(&self) -> usize {
        self.lock().marked.len()
    }

    /// Waits until something is marked. Cancel-safe.
    pub async fn marked(&self) {
        loop {
            let ringing = self.bell.notified();
            if self.lock().is_marked() {
                return;
            }
            ringing.await;
        }
    }

    /// Waits until something is marked; takes at most so many. Cancel-safe.
    pub async fn collect(&self, limit: usize) -> Marked {
        loop {
            self.marked().await;
            if let Some(marked) = self.take(limit) {
                return marked;
            }
        }
    }

    fn take(&self, limit: usize) -> Option<Marked> {
        let mut state = self.lock();
        if std::mem::take(&mut state.overflowed) {
            state.marked.clear();
            return Some(Marked::TooMany);
        }
        let mut taken = Vec::new();
        while taken.len() < limit
            && let Some(conv) = state.marked.pop_first()
        {
            taken.push(conv);
        }
        (!taken.is_empty()).then_some(Marked::These(taken))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use common::id::{GroupId, UserId};

    use super::*;

    fn conv(number: usize) -> ConvId {
        ConvId::direct(UserId(1), UserId(u32::try_from(number).unwrap() + 2))
    }

    #[tokio::test]
    async fn what_is_marked_twice_is_collected_once() {
        let unindexed = Unindexed::default();
        let group = ConvId::group(GroupId(300_000_000));
        unindexed.mark([conv(1), group, conv(1)]);
        unindexed.mark([group]);
        assert_eq!(unindexed.waiting(), 2);
        assert_eq!(unindexed.collect(1).await, Marked::These(vec![conv(1)]));
        assert_eq!(unindexed.collect(9).await, Marked::These(vec![group]));
        assert_eq!(unindexed.take(9), None);
    }

    #[tokio::test]
    async fn a_mark_wakes_who_waits() {
        let unindexed = Unindexed::default();
        let mark = async { unindexed.mark([conv(1)]) };
        let (collected, ()) = tokio::join!(unindexed.collect(9), mark);
        assert_eq!(collected, Marked::These(vec![conv(1)]));
    }

    #[tokio::test]
    async fn too_many_are_not_remembered_but_not_forgotten() {
        let unindexed = Unindexed::default();
        unindexed.mark((0..=MARKED_MAX).map(conv));
        assert_eq!(unindexed.collect(9).await, Marked::TooMany);
        assert_eq!(unindexed.take(9), None);
    }
}
