//! How many uploads are running, for who watches the server.

use crate::telemetry::metrics;

/// Counts a running upload as long as it is there.
#[derive(Debug)]
pub(super) struct Counted;

impl Counted {
    pub(super) fn new() -> Self {
        metrics::UPLOADS_ACTIVE_NOW.increment(1);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::UPLOADS_ACTIVE_NOW.decrement(1);
    }
}
