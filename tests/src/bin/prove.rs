//! Storms of any length from the command line, the judgment of a history, and the planted bugs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use myim_tests::machine;
use myim_tests::proof::check::{Violation, check};
use myim_tests::proof::history;
use myim_tests::proof::long::{self, Run};
use myim_tests::proof::mount::{Format, Mount};
use myim_tests::proof::planted::{self, BUGS, Bug, Found};
use myim_tests::proof::rig::{
    Cut, Play, cuts, database_cuts, database_faults, freezes, kills, slow_syncs, stops,
};
use myim_tests::proof::second_check;
use myim_tests::proof::storm::Outcome;
use myim_tests::server::Db;

/// What a short play does not find, another one may: so many are played for each planted bug.
const PLAYS_MAX: u64 = 8;

/// Plays storms on the programs beside this one and judges what happened.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The server is killed at random moments.
    Kill {
        #[arg(long, value_enum, default_value = "sqlite")]
        store: Store,
        #[command(flatten)]
        how: How,
    },
    /// The server is stopped in order at random moments.
    Stop {
        #[arg(long, value_enum, default_value = "sqlite")]
        store: Store,
        #[command(flatten)]
        how: How,
    },
    /// The server stands still for some seconds at random moments.
    Freeze {
        #[arg(long, value_enum, default_value = "sqlite")]
        store: Store,
        #[command(flatten)]
        how: How,
    },
    /// The disk takes long for each sync of the database, for some seconds at random moments.
    Slow {
        #[command(flatten)]
        how: How,
    },
    /// MariaDB is killed, frozen, and stopped by turns, under a server that lives on.
    Database {
        #[command(flatten)]
        how: How,
    },
    /// The power of its disk is cut at random moments; needs root.
    Cut {
        #[arg(long, value_enum, default_value = "ext4")]
        disk: Disk,
        /// Only the files stand on that disk
        #[arg(long, conflicts_with = "mariadb")]
        files: bool,
        /// The data of a MariaDB stand on that disk
        #[arg(long)]
        mariadb: bool,
        #[command(flatten)]
        how: How,
    },
    /// Says which tests this machine can run, and which ones it has to leave out.
    Machine,
    /// Judges a history that was written with --history.
    Check { file: PathBuf },
    /// Plays every planted bug: the programs must be built to have them, see scripts/prove-planted.
    Planted {
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How often the server is killed for each bug
        #[arg(long, default_value_t = 6)]
        strikes: u64,
        /// Only these; all if none is named
        #[arg(value_name = "BUG")]
        only: Vec<String>,
    },
    /// Plays storms of every kind by turns and writes a report, see scripts/prove.
    Long {
        /// How long, at least one round of each kind
        #[arg(long, default_value_t = 1.0)]
        hours: f64,
        /// Of the first round; each takes the next
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Where the report goes
        #[arg(long, default_value = "target/prove")]
        directory: PathBuf,
        /// The unit tests of the chat server, for the simulation
        #[arg(long)]
        simulation: Option<PathBuf>,
        /// How many seeds of the simulation are a round
        #[arg(long, default_value_t = 100)]
        seeds: u64,
    },
}

#[derive(Debug, clap::Args)]
struct How {
    /// What the moments and the words follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often the server is struck in one play
    #[arg(long, default_value_t = 20)]
    strikes: u64,
    /// How many plays, each with the next seed
    #[arg(long, default_value_t = 1)]
    plays: u64,
    /// Where to write the history; of several plays the last one's
    #[arg(long)]
    history: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Store {
    Sqlite,
    Mariadb,
}

impl From<Store> for Db {
    fn from(store: Store) -> Self {
        match store {
            Store::Sqlite => Self::Sqlite,
            Store::Mariadb => Self::MariaDb,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Disk {
    Ext4,
    Xfs,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Says whether nothing was found.
fn run(command: Command) -> io::Result<bool> {
    match command {
        Command::Kill { store, how } => plays(&how, |play| kills(store.into(), play)),
        Command::Stop { store, how } => plays(&how, |play| stops(store.into(), play)),
        Command::Freeze { store, how } => plays(&how, |play| freezes(store.into(), play)),
        Command::Slow { how } => plays(&how, slow_syncs),
        Command::Database { how } => plays(&how, database_faults),
        Command::Cut {
            disk,
            files,
            mariadb,
            how,
        } => {
            let format = match disk {
                Disk::Ext4 => Format::Ext4,
                Disk::Xfs => Format::Xfs,
            };
            plays(&how, |play| {
                let mount = Mount::new(format)?;
                if mariadb {
                    database_cuts(mount, false, play)
                } else if files {
                    let play = Play {
                        strikes: 0,
                        ..play.clone()
                    };
                    cuts(mount, format, Cut::Files, &play)
                } else {
                    cuts(mount, format, Cut::Everything, play)
                }
            })
        }
        Command::Machine => {
            machine::report().iter().for_each(|line| say(line));
            Ok(true)
        }
        Command::Check { file } => judge(&file),
        Command::Planted {
            seed,
            strikes,
            only,
        } => bugs(seed, strikes, &only),
        Command::Long {
            hours,
            seed,
            directory,
            simulation,
            seeds,
        } => Duration::try_from_secs_f64(hours * 3600.0)
            .map_err(io::Error::other)
            .and_then(|time| {
                let run = Run {
                    time,
                    seed,
                    directory,
                    simulation,
                    seeds,
                };
                long::play(&run, say)
            }),
    }
}

/// Says what is wrong, and whether nothing is.
fn tell(violations: &[Violation]) -> bool {
    for violation in violations {
        say(&violation.to_string());
    }
    violations.is_empty()
}

#[expect(clippy::print_stdout, reason = "this is what the command is for")]
fn say(line: &str) {
    println!("{line}");
}

fn plays(how: &How, one: impl Fn(&Play) -> io::Result<Outcome>) -> io::Result<bool> {
    let (mut acknowledged, mut strikes, mut violations) = (0, 0, 0);
    for seed in how.seed..how.seed + how.plays {
        let outcome = one(&Play {
            seed,
            strikes: how.strikes,
            file: how.history.clone(),
            planted: None,
        })?;
        say(&format!("seed {seed}: {}", outcome.figures()));
        tell(&outcome.violations);
        let second = second_check::check(&outcome.history)?;
        if second != second_check::keys(&outcome.violations) {
            say(&format!("the second checker disagrees: {second:?}"));
            violations += 1;
        }
        acknowledged += outcome.acknowledged;
        strikes += outcome.strikes;
        violations += outcome.violations.len();
    }
    say(&format!(
        "together: {acknowledged} acknowledged, {strikes} strikes, {violations} violations"
    ));
    Ok(violations == 0)
}

fn judge(file: &PathBuf) -> io::Result<bool> {
    let history = history::read(BufReader::new(File::open(file)?))?;
    let violations = check(&history);
    let is_good = tell(&violations);
    say(&format!(
        "{} events, {} violations",
        history.len(),
        violations.len()
    ));
    Ok(is_good)
}

/// Prints a line for each bug; whether all were found.
fn bugs(seed: u64, strikes: u64, only: &[String]) -> io::Result<bool> {
    if let Some(name) = only
        .iter()
        .find(|it| BUGS.iter().all(|bug| bug.name != **it))
    {
        return Err(io::Error::other(format!("no bug is called {name}")));
    }
    let is_asked = |bug: &&Bug| only.is_empty() || only.iter().any(|it| it == bug.name);
    let mut all_found = true;
    for bug in BUGS.iter().filter(is_asked) {
        let found = match bug.found {
            Found::ByTest(name) => planted::fails_with(bug, name)?,
            _ => in_plays(bug, seed, strikes),
        };
        all_found &= found.is_some();
        let found = found.unwrap_or_else(|| "NOT FOUND".to_owned());
        say(&format!(
            "{:28} {:?}: {found} ({})",
            bug.name, bug.found, bug.what
        ));
    }
    Ok(all_found)
}

/// What the first play finds that finds it, and which one that is.
fn in_plays(bug: &Bug, seed: u64, strikes: u64) -> Option<String> {
    let mut seeds = (seed..seed + PLAYS_MAX).zip(1..);
    seeds.find_map(|(seed, play)| {
        let found = found(bug, seed, strikes);
        (!found.is_empty()).then(|| format!("{found}, in play {play}"))
    })
}

/// What one play finds of a bug; empty for nothing.
fn found(bug: &Bug, seed: u64, strikes: u64) -> String {
    match catch_unwind(AssertUnwindSafe(|| planted::play(bug, seed, strikes))) {
        Ok(Ok(outcome)) => by(&outcome.violations),
        // Whatever stopped it, it was not judged.
        Ok(Err(error)) => {
            say(&format!("{}: {error}", bug.name));
            String::new()
        }
        Err(_) => String::new(),
    }
}

/// How often each sentence is broken, and the first of them in words.
fn by(violations: &[Violation]) -> String {
    let mut counts = BTreeMap::<_, usize>::new();
    for violation in violations {
        *counts.entry(violation.invariant).or_default() += 1;
    }
    let counts: Vec<_> = counts
        .iter()
        .map(|(invariant, count)| format!("{count} × {invariant}"))
        .collect();
    counts.join(", ")
}
