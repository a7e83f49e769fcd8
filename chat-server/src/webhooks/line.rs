//! Where the deliveries of one hook take turns, and how it is doing.

use std::sync::{Arc, Mutex};

use common::id::Millis;
use common::telemetry::metrics::WEBHOOKS_RETRYING_NOW;
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use super::lock;

/// An event that the target did not take yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retrying {
    pub(crate) attempts: u32,
    pub(crate) last_error: String,
    pub(crate) next_at: Millis,
}

/// See the module's description.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Held from before something is posted until it is saved what became of it.
    turn: Arc<tokio::sync::Mutex<()>>,
    closed: CancellationToken,
    retrying: Mutex<Option<Retrying>>,
}

/// The right to post.
pub(super) type Turn = OwnedMutexGuard<()>;

impl Line {
    /// Waits until nothing else of the hook is posted; `None` if it was deleted.
    pub(super) async fn turn(&self) -> Option<Turn> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        (!self.is_closed()).then_some(turn)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Returns when the hook was deleted: what is under way is to be dropped.
    pub(crate) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Lets nothing be posted any more, and waits for what is.
    pub(super) async fn close(&self) {
        self.closed.cancel();
        drop(self.turn.lock().await);
    }

    pub(crate) fn retrying(&self) -> Option<Retrying> {
        lock(&self.retrying).clone()
    }

    pub(super) fn set_retrying(&self, retrying: Option<Retrying>) {
        let mut now = lock(&self.retrying);
        match (now.is_some(), retrying.is_some()) {
            (false, true) => WEBHOOKS_RETRYING_NOW.increment(1.0),
            (true, false) => WEBHOOKS_RETRYING_NOW.decrement(1.0),
            (true, true) | (false, false) => {}
        }
        *now = retrying;
    }
}
