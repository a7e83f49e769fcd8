//! How many connections there may be: in all, of one address, and of one address before login.
//!
//! At a limit the new connection is closed; those that are there are left alone.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::telemetry::metrics::Transport;

/// What one listener allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    pub total_max: usize,
    pub per_address_max: usize,
    /// Connections of one address that have not logged in yet.
    pub greeting_per_address_max: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            // The usual limit of 1024 descriptors, less a reserve of 64.
            total_max: 960,
            per_address_max: 10_000,
            greeting_per_address_max: 512,
        }
    }
}

/// Why a connection gets no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    Total,
    Address,
    Greeting,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Total => "connections_max",
            Self::Address => "connections_per_address_max",
            Self::Greeting => "greeting_per_address_max",
        })
    }
}

/// Who is connected from where. Holds only addresses that are connected now, so it is never
/// longer than `total_max`.
#[derive(Debug)]
pub(super) struct Table {
    limits: ConnectionLimits,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    of: HashMap<IpAddr, OfAddress>,
}

#[derive(Debug, Default)]
struct OfAddress {
    open: usize,
    greeting: usize,
}

impl Table {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            counts: Mutex::default(),
        })
    }

    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Permit, Full> {
        let address = counted_as(address);
        let mut counts = self.counts();
        if counts.total >= self.limits.total_max {
            return Err(Full::Total);
        }
        if let Some(of) = counts.of.get(&address) {
            if of.open >= self.limits.per_address_max {
                return Err(Full::Address);
            }
            if of.greeting >= self.limits.greeting_per_address_max {
                return Err(Full::Greeting);
            }
        }
        counts.total += 1;
        let of = counts.of.entry(address).or_default();
        of.open += 1;
        of.greeting += 1;
        drop(counts);
        Ok(Permit {
            table: Arc::clone(self),
            address,
            greeted: AtomicBool::new(false),
            transport: Mutex::new(None),
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing in here panics half-way, so the numbers are right even if somebody did.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One household or office is one address: a customer of IPv6 gets a /64 to himself.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The right to be connected; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    table: Arc<Table>,
    address: IpAddr,
    greeted: AtomicBool,
    /// As what it is counted among the open connections.
    transport: Mutex<Option<Transport>>,
}

impl Permit {
    /// The connection has logged in: it no longer counts as one that only greets.
    pub fn greeted(&self) {
        if self.greeted.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(of) = self.table.counts().of.get_mut(&self.address) {
            of.greeting -= 1;
        }
    }

    /// What is spoken on the connection now; from here on it is counted as one of these.
    pub fn speaks(&self, transport: Transport) {
        self.count_as(Some(transport));
    }

    fn count_as(&self, transport: Option<Transport>) {
        let mut counted = self
            .transport
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = std::mem::replace(&mut *counted, transport) {
            before.connections().decrement(1);
        }
        if let Some(now) = transport {
            now.connections().increment(1);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.greeted();
        self.count_as(None);
        let mut counts = self.table.counts();
        counts.total -= 1;
        if let Some(of) = counts.of.get_mut(&self.address) {
            of.open -= 1;
            if of.open == 0 {
                counts.of.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Arc<Table> {
        Table::new(ConnectionLimits {
            total_max: 5,
            per_address_max: 3,
            greeting_per_address_max: 2,
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_limits() {
        let table = table();
        let ann = ip("192.0.2.1");
        let first = table.admit(ann).unwrap();
        let second = table.admit(ann).unwrap();
        assert_eq!(table.admit(ann).unwrap_err(), Full::Greeting);
        first.greeted();
        first.greeted();
        let third = table.admit(ann).unwrap();
        second.greeted();
        assert_eq!(table.admit(ann).unwrap_err(), Full::Address);
        drop(third);
        let _again = table.admit(ann).unwrap();
    }

    #[test]
    fn the_total_is_limited_and_others_are_not_in_the_way() {
        let table = table();
        let held: Vec<_> = (1..=5)
            .map(|n| table.admit(IpAddr::from([192, 0, 2, n])).unwrap())
            .collect();
        assert_eq!(table.admit(ip("192.0.2.9")).unwrap_err(), Full::Total);
        drop(held);
        let counts = table.counts();
        assert_eq!((counts.total, counts.of.len()), (0, 0));
    }

    #[test]
    fn the_same_place_in_other_clothes() {
        assert_eq!(counted_as(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
        assert_eq!(
            counted_as(ip("2001:db8::1")),
            counted_as(ip("2001:db8::ffff:2"))
        );
        assert_ne!(
            counted_as(ip("2001:db8::1")),
            counted_as(ip("2001:db8:0:1::1"))
        );
    }
}
