//! What is under way, to whom, and how long everything took from the moment it was planned for.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hdrhistogram::Histogram;

use super::ratios::Deed;
use super::schedule::Act;
use crate::line::now_us;

/// A longer delay counts as this.
const DELAY_US_MAX: u64 = 600_000_000;

/// What a time ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// The load generator has written it into the socket.
    Written,
    /// The server has answered: what is to be kept is durable.
    Answered,
    /// One of those whom it is for has it.
    Received,
}

/// Delays in microseconds.
pub(super) type Delays = BTreeMap<(Deed, End), Histogram<u64>>;

struct UnderWay {
    deed: Deed,
    is_answered: bool,
    /// Who does not have it yet.
    missing: usize,
}

#[derive(Default)]
struct Inner {
    under_way: HashMap<u64, UnderWay>,
    delays: Delays,
}

pub(super) struct Board {
    /// What was planned for an earlier moment of the day warmed up.
    counts_from_us: u64,
    inner: Mutex<Inner>,
}

impl Board {
    pub(super) fn new(counts_from_us: u64) -> Self {
        Self {
            counts_from_us,
            inner: Mutex::default(),
        }
    }

    /// Something is done that so many hear, and that is answered.
    pub(super) fn begin(&self, act: &Act, hearers: usize) {
        self.insert(act, hearers, false);
    }

    /// The same, but nobody answers.
    pub(super) fn begin_without_answer(&self, act: &Act, hearers: usize) {
        self.insert(act, hearers, true);
    }

    fn insert(&self, act: &Act, missing: usize, is_answered: bool) {
        let under_way = UnderWay {
            deed: act.deed,
            is_answered,
            missing,
        };
        self.lock().under_way.insert(act.due_us, under_way);
    }

    pub(super) fn written(&self, act: &Act) {
        self.note(&mut self.lock().delays, act.deed, End::Written, act.due_us);
    }

    pub(super) fn answered(&self, due_us: u64) {
        self.happened(due_us, End::Answered);
    }

    /// Somebody has it, who did not have it before.
    pub(super) fn received(&self, due_us: u64) {
        self.happened(due_us, End::Received);
    }

    fn happened(&self, due_us: u64, end: End) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        // Of yesterday, or known to everybody before an answer was repeated.
        let Some(under_way) = inner.under_way.get_mut(&due_us) else {
            return;
        };
        match end {
            End::Received => under_way.missing = under_way.missing.saturating_sub(1),
            End::Answered => under_way.is_answered = true,
            End::Written => {}
        }
        let (deed, is_over) = (
            under_way.deed,
            under_way.is_answered && under_way.missing == 0,
        );
        self.note(&mut inner.delays, deed, end, due_us);
        if is_over {
            inner.under_way.remove(&due_us);
        }
    }

    fn note(&self, delays: &mut Delays, deed: Deed, end: End, due_us: u64) {
        // The morning is before the day, and counts as it is.
        let is_morning = matches!(deed, Deed::Arrive | Deed::ArriveWithPassword);
        if due_us < self.counts_from_us && !is_morning {
            return;
        }
        let delay_us = now_us().saturating_sub(due_us).max(1);
        delays
            .entry((deed, end))
            .or_insert_with(|| {
                Histogram::new_with_max(DELAY_US_MAX, 3).expect("three digits are possible")
            })
            .saturating_record(delay_us);
    }

    /// How many things are not over.
    pub(super) fn under_way(&self) -> usize {
        self.lock().under_way.len()
    }

    /// What is not over, for people.
    pub(super) fn unfinished(&self) -> Vec<String> {
        let inner = self.lock();
        let told = inner.under_way.iter().map(|(due_us, it)| {
            let answer = if it.is_answered { "" } else { ", not answered" };
            let (deed, missing) = (it.deed, it.missing);
            format!("{deed:?} of {due_us}: {missing} do not have it{answer}")
        });
        told.collect()
    }

    pub(super) fn delays(&self) -> Delays {
        self.lock().delays.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use common::id::{Peer, UserId};

    use super::*;

    #[test]
    fn what_somebody_misses_is_not_over() {
        let board = Board::new(0);
        let act = Act {
            due_us: 7,
            person: 0,
            deed: Deed::TextToTeam,
            to: Peer::User(UserId(1)),
            hearers: 2,
            chance: 0,
        };
        board.begin(&act, act.hearers);
        board.received(7);
        board.answered(7);
        assert_eq!(board.under_way(), 1);
        assert_eq!(board.unfinished(), ["TextToTeam of 7: 1 do not have it"]);
        board.received(7);
        assert_eq!(board.under_way(), 0);
        let delays = board.delays();
        let count = |end| delays.get(&(Deed::TextToTeam, end)).unwrap().len();
        assert_eq!((count(End::Answered), count(End::Received)), (1, 2));
    }
}
