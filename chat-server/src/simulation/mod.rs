//! The whole way of messages played in one thread, on a clock that jumps: a server on a database
//! in memory that is slow, refuses and does not say what it did; connections that are slow, break
//! and go silent; a server that is killed; and people who use the SDK and whose programs are killed.
//!
//! One seed is one course of events, the same each time. After the storm everything works again, and
//! then every promise has to hold: see `history`.
//!
//! `MYIM_SEEDS=20000 cargo nextest run --workspace simulation` plays more seeds than those of
//! everyday, `MYIM_SEED=7` plays one again and prints what happened.

mod disk;
mod history;
mod line;
mod node;
mod person;
mod world;

use history::History;
use world::World;

/// So many seeds are played everyday.
const SEEDS: u64 = 40;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

/// Plays one seed from the beginning to the end.
fn play(seed: u64) -> History {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime starts");
    runtime.block_on(World::play(seed))
}

fn check(seed: u64) {
    let history = play(seed);
    let violations = history.violations();
    assert!(
        violations.is_empty(),
        "seed {seed}:\n{}\nMYIM_SEED={seed} plays it again and prints its course",
        violations.join("\n")
    );
}

#[test]
fn every_promise_holds_after_the_storm() {
    if let Some(seed) = number("MYIM_SEED") {
        println!("{}", play(seed));
        return check(seed);
    }
    let seeds = number("MYIM_SEEDS").unwrap_or(SEEDS);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for (first, _) in (0..seeds).zip(0..threads) {
            scope.spawn(move || (first..seeds).step_by(threads).for_each(check));
        }
    });
}

#[test]
fn a_seed_is_the_same_course_each_time() {
    for seed in [1, 2, 3] {
        assert_eq!(play(seed).to_string(), play(seed).to_string());
    }
}

/// A storm in which nothing happens would prove nothing.
#[test]
fn storms_do_what_they_are_for() {
    let all: Vec<History> = (0..8).map(play).collect();
    let count = |words: &str| -> usize {
        let courses = all.iter().map(ToString::to_string);
        courses.map(|course| course.matches(words).count()).sum()
    };
    for words in [
        "the server is killed",
        "the server stops in order",
        "the program is killed",
        "a connection breaks",
        "a connection goes silent",
        "a commit is refused",
        "a commit that was made does not say so",
        "a commit that was not made does not say so",
        "a read fails",
    ] {
        assert!(count(words) > 0, "never: {words}");
    }
    assert!(count(" is stored ") > 500, "{}", count(" is stored "));
}
