//! The bugs that a server built with `--features planted` has when it is told to: a proof is worth
//! as much as what it finds. `scripts/prove-planted` builds such a server and prints what found each.

use std::io;

use super::mount::{Format, Mount};
use super::rig::{Cut, Play, cuts, kills};
use super::storm::Outcome;
use crate::server::Db;

/// What has to find a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    ByKills,
    ByCuts,
    ByCutsOfFiles,
}

/// A bug, and in which play it has to be found.
#[derive(Clone, Copy, Debug)]
pub struct Bug {
    pub name: &'static str,
    pub what: &'static str,
    pub found: Found,
}

const fn bug(name: &'static str, found: Found, what: &'static str) -> Bug {
    Bug { name, what, found }
}

/// All of them; `common/src/config/planted.rs` says where they stand.
pub const BUGS: [Bug; 13] = [
    bug(
        "synchronous-off",
        Found::ByCuts,
        "SQLite commits without waiting for the disk",
    ),
    bug(
        "acknowledged-before-commit",
        Found::ByKills,
        "senders are answered before the commit",
    ),
    bug(
        "numbers-from-memory",
        Found::ByKills,
        "a refused message has taken a number",
    ),
    bug(
        "repeats-forgotten",
        Found::ByKills,
        "a message that is sent again is stored again",
    ),
    bug(
        "repeats-elsewhere",
        Found::ByKills,
        "a message that is sent again is acknowledged at another place",
    ),
    bug(
        "half-a-batch",
        Found::ByKills,
        "the second half of a batch is acknowledged and undone",
    ),
    bug(
        "batch-reversed",
        Found::ByKills,
        "the changes of a batch are applied from its end",
    ),
    bug(
        "cursor-on-write",
        Found::ByKills,
        "what was written to a device counts as confirmed",
    ),
    bug(
        "cursor-not-written",
        Found::ByKills,
        "confirmations are answered and forgotten",
    ),
    bug(
        "wake-up-lost",
        Found::ByKills,
        "every second wake-up rings nobody",
    ),
    bug(
        "membership-unchecked",
        Found::ByKills,
        "the commit does not look whether the sender is a member",
    ),
    bug(
        "folder-not-synced",
        Found::ByCutsOfFiles,
        "the folder of a file is not synced",
    ),
    bug(
        "content-not-synced",
        Found::ByCutsOfFiles,
        "a file gets its name before its content is synced",
    ),
];

/// Plays what has to find the bug.
///
/// # Errors
/// When it cannot be played to its end.
pub fn play(bug: &Bug, seed: u64, strikes: u64) -> io::Result<Outcome> {
    let how = Play {
        seed,
        strikes,
        file: None,
        planted: Some(bug.name),
    };
    let cut = |cut| {
        let how = Play {
            strikes: 0,
            ..how.clone()
        };
        cuts(Mount::new(Format::Ext4)?, Format::Ext4, cut, &how)
    };
    match bug.found {
        Found::ByKills => kills(Db::Sqlite, &how),
        Found::ByCuts => cut(Cut::ForGood),
        Found::ByCutsOfFiles => cut(Cut::Files),
    }
}
