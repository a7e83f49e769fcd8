//! What was saved, maybe, without anybody hearing of it: asks the database, and tells whom it
//! concerns.
//!
//! The committer owns it, notes here what the database did not answer, and lets it go on after each
//! commit and when it is time. A server that stops forgets it: whoever comes back gets everything.

use std::collections::HashMap;
use std::time::Duration;

use common::store::{Change, Outcome, Store, StoreError, message};
use tokio::time::Instant;

use super::Unindexed;
use super::concern::Concern;
use super::doubts::Doubts;
use super::untold::Untold;
use crate::hub::Hub;

/// How long the database is left alone that could not be asked.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// See the module's description.
#[derive(Debug)]
pub(super) struct Unheard {
    doubts: Doubts,
    untold: Untold,
    /// The database is left alone until then.
    rests_until: Instant,
}

impl Unheard {
    pub(super) fn new() -> Self {
        Self {
            doubts: Doubts::default(),
            untold: Untold::default(),
            rests_until: Instant::now(),
        }
    }

    /// The database did not say whether it saved these.
    pub(super) fn note(&mut self, batch: &[Change]) {
        let now = Instant::now();
        batch
            .iter()
            .for_each(|change| self.doubts.note(change, now));
    }

    /// The outcomes of these are known now. A commit whose answer was lost told nobody: its
    /// repetition does. Of other repetitions nobody is told: whoever they concern has heard.
    pub(super) fn settle(&mut self, batch: &[Change], outcomes: &[Outcome]) {
        for (change, outcome) in batch.iter().zip(outcomes) {
            let was_in_doubt = self.doubts.settle(change);
            if let Outcome::AlreadyThere { conv, .. } = outcome
                && was_in_doubt
            {
                self.untold.add(Concern::of(change), *conv);
            }
        }
    }

    /// When there is something to do; `None` as long as everybody has heard of everything.
    pub(super) fn next_at(&self) -> Option<Instant> {
        let at = if self.untold.is_empty() {
            self.doubts.next_at()?
        } else {
            self.rests_until
        };
        Some(at.max(self.rests_until))
    }

    /// Does what there is to do now. What the database cannot be asked for is done a little later.
    pub(super) async fn go_on(&mut self, store: &dyn Store, hub: &Hub, unindexed: &Unindexed) {
        if self.next_at().is_none_or(|at| at > Instant::now()) {
            return;
        }
        if let Err(error) = self.ask_and_tell(store, hub, unindexed).await {
            tracing::warn!(%error, "nobody was told yet of changes that were in doubt");
            self.rests_until = Instant::now() + ASK_AGAIN_AFTER;
        }
    }

    async fn ask_and_tell(
        &mut self,
        store: &dyn Store,
        hub: &Hub,
        unindexed: &Unindexed,
    ) -> Result<(), StoreError> {
        self.ask(store).await?;
        if self.untold.is_empty() {
            return Ok(());
        }
        self.untold.tell(store, hub, unindexed).await
    }

    /// Asks what became of changes whose senders did not repeat them.
    async fn ask(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let names = self.doubts.due(Instant::now());
        if names.is_empty() {
            return Ok(());
        }
        let places = match message::places(store, &names).await {
            Err(error) if error.is_passing() => return Err(error),
            Ok(places) => places,
            Err(error) => {
                // Who is on line hears of them with the next entry of their conversations.
                tracing::warn!(%error, "nobody can tell what became of changes in doubt");
                HashMap::new()
            }
        };
        for (concern, conv) in self.doubts.answer(&names, &places, Instant::now()) {
            self.untold.add(concern, conv);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "unheard_tests.rs"]
mod tests;
