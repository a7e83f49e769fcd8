//! How long to wait before the next try to connect.

use std::time::Duration;

/// The bound of the first wait; it doubles with each further one.
const FIRST: Duration = Duration::from_millis(500);

/// Counts tries that failed. The first try after a good connection is made at once; each one after
/// it waits a random time below a bound that doubles ("full jitter"), so that the clients of a
/// server that comes back do not come all together.
#[derive(Debug)]
pub(crate) struct Backoff {
    max: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(max: Duration) -> Self {
        Self { max, failures: 0 }
    }

    /// The connection was good.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait before the next try; `random` is any number.
    pub(crate) fn next(&mut self, random: u64) -> Duration {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        if failures == 0 {
            return Duration::ZERO;
        }
        let bound = 2_u32
            .checked_pow(failures - 1)
            .and_then(|times| FIRST.checked_mul(times))
            .map_or(self.max, |bound| bound.min(self.max));
        below(bound, random)
    }
}

/// A time from zero to `bound`.
pub(crate) fn below(bound: Duration, random: u64) -> Duration {
    let bound_ms = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX - 1);
    Duration::from_millis(random % bound_ms.saturating_add(1))
}

/// A random number.
pub(crate) fn random() -> u64 {
    // Without randomness the waits are all the longest.
    getrandom::u64().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_try_is_made_at_once_and_again_after_a_good_connection() {
        let mut backoff = Backoff::new(Duration::from_secs(30));
        assert_eq!(backoff.next(u64::MAX), Duration::ZERO);
        assert_eq!(backoff.next(500), Duration::from_millis(500));
        assert_eq!(backoff.next(1000), Duration::from_secs(1));
        backoff.reset();
        assert_eq!(backoff.next(u64::MAX), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_its_bound(max_ms in 0_u64..100_000, randoms: Vec<u64>) {
            let max = Duration::from_millis(max_ms);
            let mut backoff = Backoff::new(max);
            for (n, random) in randoms.into_iter().enumerate() {
                let wait = backoff.next(random);
                prop_assert!(wait <= max);
                if n < 10 {
                    prop_assert!(wait <= FIRST * 2_u32.pow(u32::try_from(n).unwrap()));
                }
            }
        }
    }
}
