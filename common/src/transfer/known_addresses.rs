//! From which addresses an account logged in lately.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;

use crate::id::Millis;
use crate::store::{Store, StoreError};

/// A login opens the transfer servers to its address for so long.
const LOGIN_COUNTS_MS: i64 = 24 * 60 * 60 * 1000;

/// A yes is remembered so long. A no is not: the login may come the next moment.
const REMEMBERED: Duration = Duration::from_secs(30);

/// So many yeses are remembered.
const ADDRESSES_MAX: NonZeroUsize = NonZeroUsize::new(4096).expect("4096 is not 0");

#[derive(Debug)]
pub(super) struct KnownAddresses {
    until: Mutex<LruCache<IpAddr, Instant>>,
}

impl KnownAddresses {
    pub(super) fn new() -> Self {
        Self {
            until: Mutex::new(LruCache::new(ADDRESSES_MAX)),
        }
    }

    pub(super) async fn knows(
        &self,
        store: &dyn Store,
        address: IpAddr,
        now: Millis,
    ) -> Result<bool, StoreError> {
        if self.remembers(address) {
            return Ok(true);
        }
        let Some(login) = store.last_login_from(address).await? else {
            return Ok(false);
        };
        let known = now.0.saturating_sub(login.0) <= LOGIN_COUNTS_MS;
        if known {
            self.lock().put(address, Instant::now() + REMEMBERED);
        }
        Ok(known)
    }

    fn remembers(&self, address: IpAddr) -> bool {
        let until = self.lock().get(&address).copied();
        until.is_some_and(|until| Instant::now() < until)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<IpAddr, Instant>> {
        // A remembered address is whole or not there, so a panic elsewhere changes nothing.
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
