//! Keeps a repeated log line from becoming a flood.

use std::time::Duration;

use tokio::time::Instant;

/// At most one line in this time.
const EVERY: Duration = Duration::from_secs(1);

/// Lets a line through now and then, and counts those it held back.
#[derive(Debug, Default)]
pub(super) struct LogThrottle {
    last: Option<Instant>,
    held_back: u64,
}

impl LogThrottle {
    /// `Some(how many were held back since the last one)` if this one may be logged.
    pub(super) fn now(&mut self) -> Option<u64> {
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            self.held_back += 1;
            return None;
        }
        self.last = Some(Instant::now());
        Some(std::mem::take(&mut self.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_line_a_second() {
        let mut lines = LogThrottle::default();
        assert_eq!(lines.now(), Some(0));
        assert_eq!(lines.now(), None);
        assert_eq!(lines.now(), None);
        tokio::time::advance(EVERY).await;
        assert_eq!(lines.now(), Some(2));
    }
}
