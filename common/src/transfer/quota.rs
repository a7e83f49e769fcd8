//! How much an address may still upload today.
//!
//! What is stored is counted in the database; what is on its way is reserved here, so that many
//! uploads at once cannot together pass what each of them would have been allowed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, MutexGuard as Taken};

use crate::store::{Change, Outcome, Store, StoreError};

/// Addresses take turns at their own counter; two that share a turn by chance wait for each other,
/// which costs no more than one database access.
const TURNS: usize = 64;

#[derive(Debug)]
pub(super) struct Quota {
    day_bytes_max: u64,
    reserved: Arc<Mutex<HashMap<IpAddr, u64>>>,
    turns: Vec<Turn<()>>,
}

/// Bytes that an upload may still bring; given back when dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    reserved: Arc<Mutex<HashMap<IpAddr, u64>>>,
    address: IpAddr,
    bytes: u64,
}

impl Quota {
    pub(super) fn new(day_bytes_max: u64) -> Self {
        Self {
            day_bytes_max,
            reserved: Arc::default(),
            turns: (0..TURNS).map(|_| Turn::new(())).collect(),
        }
    }

    /// Reserves `bytes`; `None` if that is more than the address has left today.
    pub(super) async fn reserve(
        &self,
        store: &dyn Store,
        address: IpAddr,
        day: i64,
        bytes: u64,
    ) -> Result<Option<Reservation>, StoreError> {
        let address = counted_as(address);
        let _turn = self.turn(address).await;
        let stored = store.uploaded(address, day).await?;
        let mut reserved = lock(&self.reserved);
        let under_way = reserved.get(&address).copied().unwrap_or(0);
        let total = stored.saturating_add(under_way).saturating_add(bytes);
        if total > self.day_bytes_max {
            return Ok(None);
        }
        *reserved.entry(address).or_default() += bytes;
        Ok(Some(Reservation {
            reserved: Arc::clone(&self.reserved),
            address,
            bytes,
        }))
    }

    /// Commits `change` and counts what was reserved for it, in one batch. Until both are over
    /// nobody of this address looks at its counter, so no byte is counted twice or not at all.
    pub(super) async fn spend(
        &self,
        store: &dyn Store,
        reservation: Reservation,
        day: i64,
        change: Change,
    ) -> Result<Outcome, StoreError> {
        let _turn = self.turn(reservation.address).await;
        let count = Change::CountUpload {
            address: reservation.address,
            day,
            bytes: reservation.bytes,
        };
        let outcomes = store.commit(&[change, count]).await?;
        drop(reservation);
        let first = outcomes.into_iter().next();
        first.ok_or_else(|| StoreError::Broken("a commit without an outcome".to_owned()))
    }

    async fn turn(&self, address: IpAddr) -> Taken<'_, ()> {
        let mut hasher = DefaultHasher::new();
        address.hash(&mut hasher);
        let turns = u64::try_from(TURNS).unwrap_or(1);
        let index = usize::try_from(hasher.finish() % turns).unwrap_or(0);
        self.turns[index].lock().await
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut reserved = lock(&self.reserved);
        if let Some(bytes) = reserved.get_mut(&self.address) {
            *bytes -= self.bytes;
            if *bytes == 0 {
                reserved.remove(&self.address);
            }
        }
    }
}

/// A customer of IPv6 has a /64 to himself and could use another address for each upload.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
