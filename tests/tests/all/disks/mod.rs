//! What a server does when its disk, or the system under it, fails: killed at each step, syncs and
//! other steps that fail or take long, no room, nothing but reading, damaged files and folders that
//! were removed, no descriptors, nobody who takes the log.
//!
//! A real server each time. `MYIM_SEED=7` strikes elsewhere, `MYIM_KILLS=1000` strikes each path at
//! every step, and damages the files at more places.

mod collecting;
mod damage;
mod descriptors;
mod endings;
mod errors;
mod kills;
mod lost_log;
mod publishing;
mod read_only;
mod removed;
mod replicas;
mod rig;
mod room;
mod scrubbing;
mod slow;
mod starts;
mod syncs;

use std::time::Instant;

use myim_tests::dice::Dice;
use myim_tests::http::get;
use myim_tests::process::PROCESS_PATIENCE;
use myim_tests::server::Server;
use serde_json::Value;

use rig::Rig;

/// What a program ends with whose disk fails.
const EX_IOERR: i32 = 74;

fn number(name: &str, usual: u64) -> u64 {
    let Ok(text) = std::env::var(name) else {
        return usual;
    };
    let number = text.parse();
    number.unwrap_or_else(|_| panic!("{name}={text} is no number"))
}

/// So many of the places from 1 to `length`, spread over all of them: `usual` ones if nobody wants
/// more.
fn places(usual: u64, length: u64, purpose: u64) -> Vec<u64> {
    let wanted = number("MYIM_KILLS", usual);
    if wanted >= length {
        return (1..=length).collect();
    }
    let mut dice = Dice::new(number("MYIM_SEED", 1), purpose);
    let first = |part: u64| part * length / wanted + 1;
    (0..wanted)
        .map(|part| dice.from(first(part), first(part + 1) - 1))
        .collect()
}

/// What `/readyz` says.
fn readiness(server: &Server) -> (u16, Value) {
    let answer = get(server.admin[0], "/readyz");
    (answer.status, answer.json())
}

/// Asks until the server is ready.
fn is_ready_again(server: &Server) {
    let deadline = Instant::now() + PROCESS_PATIENCE;
    loop {
        let (status, told) = readiness(server);
        if status == 200 {
            return;
        }
        assert!(Instant::now() < deadline, "still not ready: {told}");
    }
}

/// The server is not ready because of this check.
#[track_caller]
fn is_not_ready(server: &Server, check: &str) {
    let (status, told) = readiness(server);
    assert_eq!(status, 503, "{told}");
    assert_eq!(told["checks"][check]["ok"], false, "{told}");
    let reason = told["checks"][check]["reason"].as_str();
    assert!(reason.is_some_and(|reason| !reason.is_empty()), "{told}");
}

/// It ended because of the disk, and says what to do.
#[track_caller]
fn ended_by_the_disk(rig: &Rig) {
    let server = rig.server.program();
    let status = server.wait(PROCESS_PATIENCE);
    assert_eq!(status.code(), Some(EX_IOERR), "{}", server.story());
    let log = server.log();
    for words in ["myim.db", "the disk failed", "start again", "log verify"] {
        assert!(log.contains(words), "{words:?}: {}", server.story());
    }
    assert!(!log.contains("panicked"), "{}", server.story());
    rig.has_crashed("a sync failed");
}

#[test]
fn places_are_spread_and_follow_from_the_seed() {
    let few = places(4, 100, 1);
    assert_eq!(few, places(4, 100, 1));
    if std::env::var_os("MYIM_KILLS").is_none() {
        for (place, part) in few.iter().zip(0..) {
            assert!((part * 25 + 1..=part * 25 + 25).contains(place), "{few:?}");
        }
    }
    assert_eq!(places(4, 3, 1), [1, 2, 3]);
}
