//! Bugs that a server can be told to have, to see what finds them: only in a build with the feature
//! `planted`, which no normal build has.
//!
//! `PLANTED_BUGS` names one; it is no setting, of which a server knows all that begin with `MYIM_`.
//! Each stands where the mistake would be made, as a few lines behind `#[cfg(feature = "planted")]`.
//! `tests/src/proof/planted.rs` says what has to find it.

use std::env;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bugs, in the order of the places where they stand.
const NAMES: [&str; 13] = [
    // store/sqlite/connection.rs
    "synchronous-off",
    // store/sqlite/writer.rs
    "acknowledged-before-commit",
    "half-a-batch",
    "batch-reversed",
    // store/sqlite/log.rs
    "numbers-from-memory",
    "repeats-forgotten",
    "repeats-elsewhere",
    "membership-unchecked",
    // store/sqlite/cursors.rs
    "cursor-not-written",
    // chat-server: protocol/web/acks.rs, hub/mod.rs
    "cursor-on-write",
    "wake-up-lost",
    // blob/mod.rs, blob/staging.rs
    "folder-not-synced",
    "content-not-synced",
];

static CHOSEN: LazyLock<Option<&'static str>> = LazyLock::new(|| {
    let asked = env::var("PLANTED_BUGS").ok()?;
    let name = NAMES.into_iter().find(|name| *name == asked);
    assert!(name.is_some(), "PLANTED_BUGS={asked} is none of {NAMES:?}");
    name
});

/// Whether the server is to have this bug.
pub fn has(name: &str) -> bool {
    debug_assert!(NAMES.contains(&name), "{name} is not in the list");
    *CHOSEN == Some(name)
}

/// Whether it is to have this bug this time: every second time.
pub fn has_now(name: &str) -> bool {
    static TIMES: AtomicU64 = AtomicU64::new(0);
    has(name) && TIMES.fetch_add(1, Ordering::Relaxed) % 2 == 1
}
