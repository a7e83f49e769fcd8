//! Bugs that the simulation has to find, see `common/src/config/planted.rs`: `scripts/prove-planted`
//! runs this.

use common::config::planted::plant;

use super::play;

/// What one seed does not find, another one may.
const SEEDS: u64 = 100;

/// A bug, and a part of the sentence that tells of it.
const BUGS: [(&str, &str); 12] = [
    ("half-a-batch", "was accepted and is not stored"),
    ("batch-reversed", "overtook"),
    ("numbers-from-memory", "belongs"),
    ("repeats-forgotten", "is stored twice"),
    ("cursor-on-write", "and not"),
    ("wake-up-lost", "never heard"),
    // What old clients, which never acknowledge, are promised.
    ("received-on-write", "never heard"),
    ("cursor-not-written", "again"),
    ("shown-twice", "on one connection"),
    ("unsaved-unsaid", "was told that"),
    // Who is a member.
    ("leaving-unnoticed", "and was no member"),
    ("membership-unchecked", "its author was no member"),
];

/// The first seed that finds the bug, and the sentence.
fn found(bug: &'static str, words: &str) -> Option<(u64, String)> {
    plant(bug);
    (0..SEEDS).find_map(|seed| {
        let violations = play(seed).violations().into_iter();
        let mut told = violations.filter(|violation| violation.contains(words));
        Some((seed, told.next()?))
    })
}

#[test]
fn planted_bugs_are_found() {
    let mut missed = Vec::new();
    for (bug, words) in BUGS {
        match found(bug, words) {
            Some((seed, told)) => println!("{bug:28} by seed {seed}: {told}"),
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
