//! How much an account, and an address, may ask for: a token bucket for each class of call.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use common::config::ApiConfig;
use common::id::UserId;
use common::telemetry::metrics;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// How many seconds' worth may come at once.
const BURST_S: u32 = 2;
/// How much more than an account an address may ask for: a family, an office.
const ADDRESS_FACTOR: u32 = 4;
/// After so many calls the buckets that are full again are forgotten, so that their number stays
/// near the number of those who were active lately.
const CALLS_UNTIL_TIDY: u32 = 8_192;

/// A class of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Making accounts and signing in; counted for addresses only.
    SignIn,
    Read,
    Write,
    Send,
    Search,
}

/// All buckets.
#[derive(Debug)]
pub struct Rates {
    sign_in: Buckets,
    read: Buckets,
    write: Buckets,
    send: Buckets,
    search: Buckets,
}

impl Rates {
    pub fn new(config: &ApiConfig) -> Self {
        Self {
            sign_in: Buckets::new(config.rate_sign_ins_per_s, 1),
            read: Buckets::new(config.rate_reads_per_s, ADDRESS_FACTOR),
            write: Buckets::new(config.rate_writes_per_s, ADDRESS_FACTOR),
            send: Buckets::new(config.rate_sends_per_s, ADDRESS_FACTOR),
            search: Buckets::new(config.rate_searches_per_s, ADDRESS_FACTOR),
        }
    }

    /// Counts a call for an account.
    ///
    /// # Errors
    /// How long to wait, if it was one too many.
    pub fn take_of_account(&self, class: Class, user: UserId) -> Result<(), Duration> {
        let taken = take(self.of(class).accounts.as_ref(), &user);
        taken.inspect_err(|_| metrics::rate_limited("account"))
    }

    /// Counts calls that were carried out already, as one request for several.
    ///
    /// How long the account has to wait until it has made up for them.
    pub fn owe_of_account(&self, class: Class, user: UserId, calls: usize) -> Duration {
        let buckets = self.of(class);
        let taken = |_: &usize| take(buckets.accounts.as_ref(), &user).is_err();
        let over = u32::try_from((0..calls).filter(taken).count()).unwrap_or(u32::MAX);
        if over == 0 {
            return Duration::ZERO;
        }
        metrics::rate_limited("account");
        Duration::from_secs(over.into()) / buckets.per_s.max(1)
    }

    /// Counts a call for an address; for IPv6 for its /64, which is what one household gets.
    ///
    /// # Errors
    /// How long to wait, if it was one too many.
    pub fn take_of_address(&self, class: Class, address: IpAddr) -> Result<(), Duration> {
        let taken = take(self.of(class).addresses.as_ref(), &network(address));
        taken.inspect_err(|_| metrics::rate_limited("address"))
    }

    fn of(&self, class: Class) -> &Buckets {
        match class {
            Class::SignIn => &self.sign_in,
            Class::Read => &self.read,
            Class::Write => &self.write,
            Class::Send => &self.send,
            Class::Search => &self.search,
        }
    }
}

/// The buckets of a class; `None` if there is no limit.
#[derive(Debug)]
struct Buckets {
    per_s: u32,
    accounts: Option<Limiter<UserId>>,
    addresses: Option<Limiter<IpAddr>>,
}

impl Buckets {
    /// `per_s` of 0 is no limit.
    fn new(per_s: u32, address_factor: u32) -> Self {
        Self {
            per_s,
            accounts: Limiter::new(per_s),
            addresses: Limiter::new(per_s.saturating_mul(address_factor)),
        }
    }
}

struct Limiter<K: Hash + Eq + Clone> {
    buckets: DefaultKeyedRateLimiter<K>,
    calls: AtomicU32,
}

impl<K: Hash + Eq + Clone> std::fmt::Debug for Limiter<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter").finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(per_s: u32) -> Option<Self> {
        let per_s = NonZeroU32::new(per_s)?;
        let burst = NonZeroU32::new(per_s.get().saturating_mul(BURST_S))?;
        Some(Self {
            buckets: RateLimiter::keyed(Quota::per_second(per_s).allow_burst(burst)),
            calls: AtomicU32::new(0),
        })
    }
}

fn take<K: Hash + Eq + Clone>(limiter: Option<&Limiter<K>>, key: &K) -> Result<(), Duration> {
    let Some(limiter) = limiter else {
        return Ok(());
    };
    let calls = limiter.calls.fetch_add(1, Ordering::Relaxed);
    if calls % CALLS_UNTIL_TIDY == CALLS_UNTIL_TIDY - 1 {
        limiter.buckets.retain_recent();
        limiter.buckets.shrink_to_fit();
    }
    let taken = limiter.buckets.check_key(key);
    taken.map_err(|refused| refused.wait_time_from(DefaultClock::default().now()))
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: UserId = UserId(1);
    const BOB: UserId = UserId(2);

    fn searches(per_s: u32) -> Rates {
        Rates::new(&ApiConfig {
            rate_searches_per_s: per_s,
            ..ApiConfig::default()
        })
    }

    #[test]
    fn who_asks_too_much_waits_and_nobody_else_does() {
        let rates = searches(3);
        for _ in 0..6 {
            assert_eq!(rates.take_of_account(Class::Search, ANN), Ok(()));
        }
        let wait = rates.take_of_account(Class::Search, ANN).unwrap_err();
        assert!(wait <= Duration::from_millis(334), "{wait:?}");
        assert_eq!(rates.take_of_account(Class::Search, BOB), Ok(()));
        assert_eq!(rates.take_of_account(Class::Read, ANN), Ok(()));
    }

    #[test]
    fn what_was_carried_out_already_is_made_up_for() {
        let rates = searches(4);
        let owe = |calls| rates.owe_of_account(Class::Search, ANN, calls);
        assert_eq!(owe(8), Duration::ZERO, "as much as may come at once");
        // The bucket may have got a drop meanwhile.
        let wait = owe(41);
        assert!(wait >= Duration::from_secs(10) && wait <= Duration::from_millis(10_250));
        let unlimited = searches(0);
        let wait = unlimited.owe_of_account(Class::Search, ANN, 10_000);
        assert_eq!(wait, Duration::ZERO);
    }

    #[test]
    fn zero_is_no_limit() {
        let rates = searches(0);
        for _ in 0..10_000 {
            assert_eq!(rates.take_of_account(Class::Search, ANN), Ok(()));
        }
    }

    #[test]
    fn a_household_is_one_address() {
        let rates = searches(1);
        let take = |address: &str| rates.take_of_address(Class::Search, address.parse().unwrap());
        for host in 0..8 {
            assert_eq!(take(&format!("2001:db8::{host}")), Ok(()));
        }
        assert!(take("2001:db8::ffff").is_err());
        assert_eq!(take("2001:db8:0:1::1"), Ok(()));
        assert_eq!(take("192.0.2.1"), Ok(()));
    }
}
