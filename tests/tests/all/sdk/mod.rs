//! The SDK keeps its promises while connections break, servers crash and programs are killed.
//!
//! `MYIM_SEEDS=100` plays more seeds, `MYIM_SEED=7` only this one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use myim_tests::server::Db;

mod documents;
mod examples;
mod file_server;
mod files;
mod frozen;
mod journal;
mod network;
mod people;
mod proxy;
mod run;

/// How many seeds are played if nobody says otherwise.
const SEEDS: u64 = 8;
/// How many are played at a time: they wait more than they work.
const PARALLEL: usize = 8;

/// Which seeds are asked for; the given ones otherwise.
fn seeds(usual: std::ops::RangeInclusive<u64>) -> Vec<u64> {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        let number = text.parse::<u64>();
        Some(number.unwrap_or_else(|_| panic!("{name}={text} is no number")))
    };
    match (number("MYIM_SEED"), number("MYIM_SEEDS")) {
        (Some(one), _) => vec![one],
        (None, Some(many)) => (1..=many).collect(),
        (None, None) => usual.collect(),
    }
}

/// Plays all seeds, some at a time, and fails with the names of those that failed.
fn play_all(db: Db, seeds: &[u64], test: &str) {
    let mut failed = Vec::new();
    let mut seen = run::Seen::default();
    for some in seeds.chunks(PARALLEL) {
        let outcomes: Vec<_> = thread::scope(|scope| {
            let plays: Vec<_> = some
                .iter()
                .map(|seed| {
                    let play = move || catch_unwind(AssertUnwindSafe(|| run::play(db, *seed)));
                    (*seed, scope.spawn(play))
                })
                .collect();
            plays
                .into_iter()
                .map(|(seed, play)| (seed, play.join().and_then(|outcome| outcome)))
                .collect()
        });
        for (seed, outcome) in outcomes {
            match outcome {
                Ok(one) => seen.add(&one),
                Err(_) => failed.push(seed),
            }
        }
    }
    let again = failed
        .iter()
        .map(|seed| format!("MYIM_SEED={seed} cargo nextest run -p myim-tests {test}"));
    let again: Vec<_> = again.collect();
    assert!(
        failed.is_empty(),
        "seeds {failed:?} failed; play one again:\n{}",
        again.join("\n")
    );
    seen.is_enough(seeds.len());
}

#[test]
fn promises_are_kept_whatever_breaks() {
    let test = "promises_are_kept_whatever_breaks";
    play_all(Db::Sqlite, &seeds(1..=SEEDS), test);
}

#[test]
fn promises_are_kept_on_mariadb() {
    play_all(
        Db::MariaDb,
        &seeds(101..=101),
        "promises_are_kept_on_mariadb",
    );
}
