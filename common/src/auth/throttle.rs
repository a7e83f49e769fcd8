//! Brakes on guessing passwords and on mass registration.
//!
//! Only failures count against a login: an office of thousands behind one address never notices.
//! Everything is kept in memory and bounded; the oldest counters are forgotten first.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;

/// How many counters of a kind are kept; one is about 100 bytes.
const COUNTERS_MAX: NonZeroUsize = NonZeroUsize::new(100_000).expect("is not zero");

/// How many failed logins are borne.
#[derive(Clone, Copy, Debug)]
pub struct FailureLimits {
    /// Of one name from one address.
    pub per_name_max: u32,
    /// Of all names from one address.
    pub per_address_max: u32,
    /// A failure counts this long after the first one of its series.
    pub window: Duration,
}

/// Counts failed logins.
pub struct Failures {
    limits: FailureLimits,
    names: Mutex<LruCache<(String, IpAddr), Series>>,
    addresses: Mutex<LruCache<IpAddr, Series>>,
}

#[derive(Clone, Copy)]
struct Series {
    count: u32,
    began: Instant,
}

impl std::fmt::Debug for Failures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Failures")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Failures {
    pub fn new(limits: FailureLimits) -> Self {
        Self {
            limits,
            names: Mutex::new(LruCache::new(COUNTERS_MAX)),
            addresses: Mutex::new(LruCache::new(COUNTERS_MAX)),
        }
    }

    /// How long this name has to wait before its next try from this address; `None` if it may.
    pub fn wait(&self, name: &str, address: IpAddr) -> Option<Duration> {
        let window = self.limits.window;
        let by_name = left(
            &self.names,
            &(name.to_owned(), address),
            self.limits.per_name_max,
            window,
        );
        let by_address = left(
            &self.addresses,
            &address,
            self.limits.per_address_max,
            window,
        );
        by_name.max(by_address)
    }

    /// Notes a failed login.
    pub fn note(&self, name: &str, address: IpAddr) {
        count(&self.names, (name.to_owned(), address), self.limits.window);
        count(&self.addresses, address, self.limits.window);
    }

    /// A successful login ends the series of this name from this address.
    pub fn forget(&self, name: &str, address: IpAddr) {
        lock(&self.names).pop(&(name.to_owned(), address));
    }
}

fn left<K: Hash + Eq>(
    counters: &Mutex<LruCache<K, Series>>,
    key: &K,
    max: u32,
    window: Duration,
) -> Option<Duration> {
    let series = *lock(counters).get(key)?;
    let left = window.checked_sub(series.began.elapsed())?;
    (series.count >= max && !left.is_zero()).then_some(left)
}

fn count<K: Hash + Eq>(counters: &Mutex<LruCache<K, Series>>, key: K, window: Duration) {
    let now = Instant::now();
    let mut counters = lock(counters);
    let series = counters.get_or_insert_mut(key, || Series {
        count: 0,
        began: now,
    });
    if series.began.elapsed() >= window {
        *series = Series {
            count: 0,
            began: now,
        };
    }
    series.count += 1;
}

/// So many a minute for each address, evenly refilled, with one minute's worth as the burst.
pub struct Rate {
    per_minute: u32,
    buckets: Mutex<LruCache<IpAddr, Bucket>>,
}

struct Bucket {
    /// Tokens times 60 seconds, so that integers are exact.
    tokens: Duration,
    filled: Instant,
}

impl std::fmt::Debug for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rate")
            .field("per_minute", &self.per_minute)
            .finish_non_exhaustive()
    }
}

impl Rate {
    pub fn per_minute(per_minute: u32) -> Self {
        Self {
            per_minute: per_minute.max(1),
            buckets: Mutex::new(LruCache::new(COUNTERS_MAX)),
        }
    }

    /// Takes one; `false` if this address has none left.
    pub fn take(&self, address: IpAddr) -> bool {
        let price = Duration::from_secs(60) / self.per_minute;
        let full = Duration::from_secs(60);
        let now = Instant::now();
        let mut buckets = lock(&self.buckets);
        let bucket = buckets.get_or_insert_mut(address, || Bucket {
            tokens: full,
            filled: now,
        });
        bucket.tokens = full.min(bucket.tokens + (now - bucket.filled));
        bucket.filled = now;
        match bucket.tokens.checked_sub(price) {
            Some(left) => {
                bucket.tokens = left;
                true
            }
            None => false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn failures() -> Failures {
        let window = Duration::from_secs(900);
        Failures::new(FailureLimits {
            per_name_max: 3,
            per_address_max: 5,
            window,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn guessing_one_name_is_stopped_and_may_go_on_later() {
        let failures = failures();
        for _ in 0..3 {
            assert_eq!(failures.wait("ann", OFFICE), None);
            failures.note("ann", OFFICE);
        }
        assert!(failures.wait("ann", OFFICE).is_some());
        assert_eq!(
            failures.wait("ann", HOME),
            None,
            "she can still log in at home"
        );
        assert_eq!(failures.wait("bob", OFFICE), None);
        tokio::time::advance(Duration::from_secs(901)).await;
        assert_eq!(failures.wait("ann", OFFICE), None);
    }

    #[tokio::test(start_paused = true)]
    async fn guessing_many_names_stops_the_address() {
        let failures = failures();
        for name in ["a", "b", "c", "d", "e"] {
            failures.note(name, OFFICE);
        }
        assert!(failures.wait("f", OFFICE).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_ends_the_series() {
        let failures = failures();
        failures.note("ann", OFFICE);
        failures.note("ann", OFFICE);
        failures.forget("ann", OFFICE);
        failures.note("ann", OFFICE);
        assert_eq!(failures.wait("ann", OFFICE), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_refills() {
        let rate = Rate::per_minute(60);
        assert_eq!((0..100).filter(|_| rate.take(OFFICE)).count(), 60);
        assert!(rate.take(HOME));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!((0..100).filter(|_| rate.take(OFFICE)).count(), 2);
    }
}
