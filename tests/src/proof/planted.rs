//! The bugs that a server built with `--features planted` has when it is told to: a proof is worth
//! as much as what it finds. `scripts/prove-planted` builds such a server and prints what found each.

use std::io;
use std::process::Command;

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
    /// By this ordinary test, which says more than a storm: what is wrong is wrong each time.
    ByTest(&'static str),
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
pub const BUGS: [Bug; 18] = [
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
    bug(
        "failed-commit-unseen",
        Found::ByTest("disks::errors::a_message_while_the_disk_reports_errors"),
        "a commit that failed is taken for one that did not",
    ),
    bug(
        "short-write-unseen",
        Found::ByTest("disks::errors::an_upload_while_writes_are_short"),
        "half a piece that was written is taken for the whole",
    ),
    bug(
        "md5-alias-before-verification",
        Found::ByTest("checklist::transfer::on_sqlite::row_087_names_that_do_not_match"),
        "an old client's file is there under its MD5 name, whatever it contains",
    ),
    bug(
        "token-not-revoked",
        Found::ByTest("api::accounts::signing_in_and_out"),
        "a session that was ended goes on",
    ),
    bug(
        "old-tokens-with-new-password",
        Found::ByTest("api::accounts::a_token_is_good_until_it_is_not"),
        "sessions go on although the password was changed",
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
        Found::ByTest(name) => Err(io::Error::other(format!("{name} is no play"))),
        Found::ByKills => kills(Db::Sqlite, &how),
        Found::ByCuts => cut(Cut::ForGood),
        Found::ByCutsOfFiles => cut(Cut::Files),
    }
}

/// Runs a test with the bug; `None` if it passes. It has to pass without.
///
/// # Errors
/// When it cannot be run, or fails without the bug.
pub fn fails_with(bug: &Bug, test: &str) -> io::Result<Option<String>> {
    let passes = |planted: Option<&str>| {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--workspace", "--locked", "--test", "all", "--"]);
        cargo.args(["--exact", test]);
        // A fault at one step is found by the turn that has this step.
        cargo.env("MYIM_KILLS", "1000");
        match planted {
            Some(bug) => cargo.env("PLANTED_BUGS", bug),
            None => cargo.env_remove("PLANTED_BUGS"),
        };
        let output = cargo.output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        match said.contains("running 1 test") {
            true => Ok((output.status.success(), said)),
            false => Err(io::Error::other(format!("{test} was not run: {said}"))),
        }
    };
    if let (false, said) = passes(None)? {
        return Err(io::Error::other(format!("{test} fails by itself: {said}")));
    }
    let (is_passed, said) = passes(Some(bug.name))?;
    let mut lines = said
        .lines()
        .skip_while(|line| !line.contains("panicked at"));
    let why = lines.nth(1).unwrap_or("it failed").trim().to_owned();
    Ok((!is_passed).then_some(why))
}
