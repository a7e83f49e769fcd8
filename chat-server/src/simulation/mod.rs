//! The whole way of messages played in one thread, on a clock that jumps: a server on a database
//! in memory that is slow, refuses and does not say what it did; connections that are slow, break
//! and go silent; a server that is killed; and people, some on the SDK and some with the Flamingo
//! protocol, whose programs are killed, and who come and go in a group.
//!
//! One seed is one course of events, the same each time. After the storm everything works again, and
//! then every promise has to hold: see `history`.
//!
//! `MYIM_SEEDS=20000 cargo nextest run --workspace simulation` plays more seeds than those of
//! everyday, from `MYIM_FIRST_SEED` on; `MYIM_SEED=7` plays one again and prints what happened.

mod disk;
mod flamingo_program;
mod history;
mod line;
mod node;
mod panics;
mod person;
#[cfg(feature = "planted")]
mod planted_tests;
mod sdk_program;
mod system;
mod world;

use history::History;
use world::World;

/// So many seeds are played everyday.
const SEEDS: u64 = 500;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

/// Plays one seed from the beginning to the end.
fn play(seed: u64) -> History {
    let (mut history, panics) = played(World::play(seed));
    history.panicked(panics);
    history
}

/// Runs it on a clock that jumps; what came of it, and what panicked in any task.
fn played<T>(play: impl Future<Output = T>) -> (T, Vec<String>) {
    panics::watch();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime starts");
    let outcome = runtime.block_on(play);
    // Its tasks end with it, and may panic then.
    drop(runtime);
    (outcome, panics::seen())
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
    let begin = number("MYIM_FIRST_SEED").unwrap_or(0);
    let end = begin + number("MYIM_SEEDS").unwrap_or(SEEDS);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for (first, _) in (begin..end).zip(0..threads) {
            scope.spawn(move || (first..end).step_by(threads).for_each(check));
        }
    });
}

#[test]
fn a_seed_is_the_same_course_each_time() {
    for seed in [1, 2, 3] {
        assert_eq!(play(seed).to_string(), play(seed).to_string());
    }
}

fn fail_on_purpose() {
    panic!("on purpose");
}

#[test]
fn a_panic_in_a_task_that_nobody_waits_for_is_noticed() {
    let ((), panics) = played(async {
        drop(tokio::spawn(async { fail_on_purpose() }));
        tokio::task::yield_now().await;
    });
    assert_eq!(panics.len(), 1, "{panics:?}");
    let mut history = History::default();
    history.panicked(panics);
    assert!(history.violations()[0].contains("on purpose"));
    assert_eq!(played(async { 7 }), (7, vec![]));
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
        "the database is away",
        "a program hangs",
        "is not read",
        "has an answer",
        "is signed in",
        "you are not a member",
    ] {
        assert!(count(words) > 0, "never: {words}");
    }
    assert!(count(" is stored ") > 500, "{}", count(" is stored "));
}
