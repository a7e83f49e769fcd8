//! Ports on which a server can come back: the system gives none of them to anybody's outgoing
//! connection while the server is down, as it may do with those that it chooses itself.

use std::env;
use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Behind the ports of well-known services.
const FIRST: u32 = 10_240;
/// How many each of the tests that run at the same time has for itself.
const OF_A_SLOT: u32 = 2000;
/// The last slot ends before the first port that Linux gives to outgoing connections, 32768.
const SLOTS: u32 = 10;

/// A port on which nobody listens, and that no other test takes.
pub fn kept_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // The test runner's number of this test among those that run now.
    let slot = env::var("NEXTEST_TEST_GLOBAL_SLOT");
    let slot = slot.ok().and_then(|slot| slot.parse().ok()).unwrap_or(0);
    let first = FIRST + slot % SLOTS * OF_A_SLOT;
    for _ in 0..OF_A_SLOT {
        // Each process begins elsewhere, because the one before may have left connections behind.
        let offset = process::id()
            .wrapping_mul(37)
            .wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(first + offset % OF_A_SLOT).expect("slots end below 32768");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free behind {first}");
}
