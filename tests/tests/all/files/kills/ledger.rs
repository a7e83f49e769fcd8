//! What uploaders were told, and how often the server was started.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard};

use myim_tests::peer::PATIENCE;

/// How a file was made: from it the content follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) length: usize,
    pub(super) seed: u64,
}

/// What an uploader knows at its end.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// By the SHA-256: what the server said that it has.
    pub(super) stored: BTreeMap<String, Made>,
    /// What was begun and never finished, or was refused, by the SHA-256.
    pub(super) given_up: BTreeSet<String>,
    /// Resumable uploads that were given up: how far the server said that they are.
    pub(super) unfinished: BTreeMap<String, usize>,
    /// Parts of others.
    pub(super) parts: BTreeSet<String>,
    /// Resumable uploads that were begun without an answer.
    pub(super) unheard: usize,
    /// Requests that a kill ended.
    pub(super) broken: usize,
    /// Uploads that were found finished although nobody had been told.
    pub(super) found_finished: usize,
}

impl Told {
    pub(super) fn with(mut self, other: Self) -> Self {
        self.stored.extend(other.stored);
        self.given_up.extend(other.given_up);
        self.unfinished.extend(other.unfinished);
        self.parts.extend(other.parts);
        self.unheard += other.unheard;
        self.broken += other.broken;
        self.found_finished += other.found_finished;
        self
    }

    /// A run in which nothing broke would prove nothing.
    pub(super) fn is_enough(&self, kills: u64) {
        let count = |of: usize| u64::try_from(of).unwrap();
        eprintln!(
            "{kills} kills broke {} requests; {} files stored, {} given up, {} found finished, \
             {} begun without an answer",
            self.broken,
            self.stored.len(),
            self.given_up.len(),
            self.found_finished,
            self.unheard,
        );
        assert!(count(self.broken) >= kills, "{self:?}");
        assert!(count(self.stored.len()) >= kills, "{self:?}");
        assert!(!self.given_up.is_empty(), "{self:?}");
    }
}

/// The lives of the server, as uploaders see them: a request may fail only if a life ended.
#[derive(Debug, Default)]
pub(super) struct Lives {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    number: u64,
    /// Nobody will be killed any more, and no upload begins.
    is_last: bool,
    /// The SHA-256 of everything that was answered.
    answered: BTreeSet<String>,
}

impl Lives {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    /// Which life it is now.
    pub(super) fn number(&self) -> u64 {
        self.lock().number
    }

    pub(super) fn is_last(&self) -> bool {
        self.lock().is_last
    }

    pub(super) fn begin_another(&self) {
        self.lock().number += 1;
        self.changed.notify_all();
    }

    pub(super) fn close(&self) {
        self.lock().is_last = true;
        self.changed.notify_all();
    }

    /// Waits for the life after this one.
    ///
    /// # Panics
    /// If there is none: then the server lived, and the request failed for another reason.
    pub(super) fn wait_after(&self, number: u64, why: &str) {
        let waiting = |state: &mut State| state.number == number && !state.is_last;
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), PATIENCE, waiting)
            .expect("no holder of this lock panics");
        assert!(
            state.number > number,
            "failed while the server lived: {why}"
        );
    }

    /// The server said that it has this file.
    pub(super) fn note(&self, file: &str) {
        self.lock().answered.insert(file.to_owned());
    }

    pub(super) fn answered(&self) -> BTreeSet<String> {
        self.lock().answered.clone()
    }
}
