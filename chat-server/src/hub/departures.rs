//! Sessions that ended and of which nobody was told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use common::id::UserId;
use tokio::sync::Notify;

use super::Session;

/// See the module's description. Bounded by the users there are: the latest session of each.
#[derive(Debug, Default)]
pub(super) struct Departures {
    left: Mutex<BTreeMap<UserId, Arc<Session>>>,
    bell: Notify,
}

impl Departures {
    pub(super) fn note(&self, session: &Arc<Session>) {
        self.left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(session.actor.user, Arc::clone(session));
        self.bell.notify_one();
    }

    /// Waits until there is one. Cancel-safe.
    pub(super) async fn next(&self) -> Arc<Session> {
        loop {
            let next = {
                let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
                left.pop_first()
            };
            if let Some((_, session)) = next {
                return session;
            }
            self.bell.notified().await;
        }
    }
}
