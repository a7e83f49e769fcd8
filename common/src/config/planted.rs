//! Bugs that a server can be told to have, to see what finds them: only in a build with the feature
//! `planted`, which no normal build has.
//!
//! `PLANTED_BUGS` names one; it is no setting, of which a server knows all that begin with `MYIM_`.
//! Each stands where the mistake would be made, as a few lines behind `#[cfg(feature = "planted")]`.
//! `tests/src/proof/planted.rs` says which storm or test has to find it, and the chat server's
//! `simulation/planted_tests.rs` what the simulation has to find.

use std::cell::Cell;
use std::env;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bugs, in the order of the places where they stand.
const NAMES: [&str; 22] = [
    // store/sqlite/connection.rs
    "synchronous-off",
    // store/sqlite/writer.rs
    "acknowledged-before-commit",
    "half-a-batch",
    "batch-reversed",
    "failed-commit-unseen",
    // store/sqlite/log.rs
    "numbers-from-memory",
    "repeats-forgotten",
    "repeats-elsewhere",
    "membership-unchecked",
    // store/sqlite/cursors.rs
    "cursor-not-written",
    // store/shared/session.rs
    "token-not-revoked",
    "old-tokens-with-new-password",
    // chat-server: protocol/web/acks.rs, hub/mod.rs, hub/mod.rs and walker.rs
    "cursor-on-write",
    "wake-up-lost",
    "leaving-unnoticed",
    // chat-server: protocol/flamingo/receipts.rs, protocol/flamingo/session.rs
    "received-on-write",
    "unsaved-unsaid",
    "shown-twice",
    // blob/mod.rs, blob/staging.rs
    "folder-not-synced",
    "content-not-synced",
    "short-write-unseen",
    // transfer/flamingo/upload.rs
    "md5-alias-before-verification",
];

static CHOSEN: LazyLock<Option<&'static str>> = LazyLock::new(|| {
    let asked = env::var("PLANTED_BUGS").ok()?;
    let name = NAMES.into_iter().find(|name| *name == asked);
    assert!(name.is_some(), "PLANTED_BUGS={asked} is none of {NAMES:?}");
    name
});

thread_local! {
    /// The bug of servers that run on this thread alone.
    static HERE: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Lets servers on this thread have this bug from now on.
pub fn plant(name: &'static str) {
    debug_assert!(NAMES.contains(&name), "{name} is not in the list");
    HERE.set(Some(name));
}

/// Whether the server is to have this bug.
pub fn has(name: &str) -> bool {
    debug_assert!(NAMES.contains(&name), "{name} is not in the list");
    HERE.get().or(*CHOSEN) == Some(name)
}

/// Whether it is to have this bug this time: every second time.
pub fn has_now(name: &str) -> bool {
    static TIMES: AtomicU64 = AtomicU64::new(0);
    has(name) && TIMES.fetch_add(1, Ordering::Relaxed) % 2 == 1
}
