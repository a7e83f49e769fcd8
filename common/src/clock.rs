//! The wall clock, as a value that tests can replace. Waiting is `tokio::time`'s business.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::id::Millis;

/// Tells the time of day.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Millis;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the wall clock"
    )]
    fn now(&self) -> Millis {
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
    }
}
