//! Storms of every kind, one after the other, until the time is over.
//!
//! Each round is a line of `rounds.jsonl` as soon as it is over, and the report is written anew, so
//! that a run that is broken off has told what it found.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::mount::{Format, Mount};
use super::report;
use super::rig::{
    Cut, Play, cuts, database_cuts, database_faults, freezes, kills, slow_syncs, stops,
};
use super::second_check;
use super::storm::Outcome;
use crate::server::Db;

/// Where it goes, and for how long.
#[derive(Clone, Debug)]
pub struct Run {
    pub time: Duration,
    /// The first round's; each round takes the next.
    pub seed: u64,
    /// For the rounds, the report, its picture, and the histories of what was found.
    pub directory: PathBuf,
    /// The unit tests of the chat server, which hold the simulation.
    pub simulation: Option<PathBuf>,
    /// How many seeds of the simulation are a round.
    pub seeds: u64,
}

/// What is played in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Simulation,
    Kill(Db),
    Stop,
    Freeze,
    SlowDisk,
    Database,
    Power(Format),
    PowerOfFiles(Format),
    PowerOfMariaDb,
}

/// What a round was and what came of it.
#[derive(Debug, Serialize)]
pub struct Round {
    pub what: String,
    pub seed: u64,
    pub seconds: f64,
    /// Of a simulation.
    pub seeds: u64,
    pub acknowledged: u64,
    pub strikes: u64,
    /// What must not be.
    pub violations: Vec<String>,
    /// Why it could not be judged.
    pub unjudged: Option<String>,
    /// From each start after a strike until something was acknowledged.
    pub recoveries_ms: Vec<u64>,
}

impl Kind {
    fn name(self) -> String {
        match self {
            Self::Simulation => "simulation".to_owned(),
            Self::Kill(Db::Sqlite) => "kill -9, SQLite".to_owned(),
            Self::Kill(Db::MariaDb) => "kill -9, MariaDB".to_owned(),
            Self::Stop => "SIGTERM, SQLite".to_owned(),
            Self::Freeze => "SIGSTOP, SIGCONT, SQLite".to_owned(),
            Self::SlowDisk => "slow syncs, SQLite".to_owned(),
            Self::Database => "MariaDB killed, frozen, stopped".to_owned(),
            Self::Power(format) => format!("power cut, SQLite, {format}"),
            Self::PowerOfFiles(format) => format!("power cut of the files, {format}"),
            Self::PowerOfMariaDb => "power cut, MariaDB, xfs".to_owned(),
        }
    }

    fn strikes(self) -> u64 {
        match self {
            Self::Simulation | Self::PowerOfFiles(_) => 0,
            Self::Kill(Db::Sqlite) | Self::Stop => 10,
            Self::Freeze | Self::SlowDisk | Self::Kill(Db::MariaDb) | Self::Power(_) => 5,
            Self::Database => 3,
            Self::PowerOfMariaDb => 1,
        }
    }

    /// What this machine can do. What it cannot is told once.
    fn possible(run: &Run) -> Vec<(Self, Result<(), String>)> {
        let mariadb = std::env::var_os("MYIM_TEST_MYSQL")
            .map(drop)
            .ok_or_else(|| "MYIM_TEST_MYSQL names no MariaDB".to_owned());
        let simulation = run.simulation.as_ref().map(drop);
        let simulation = simulation.ok_or_else(|| "--simulation names no program".to_owned());
        let disk = |format| Mount::new(format).map(drop).map_err(|e| e.to_string());
        let (ext4, xfs) = (disk(Format::Ext4), disk(Format::Xfs));
        vec![
            (Self::Simulation, simulation),
            (Self::Kill(Db::Sqlite), Ok(())),
            (Self::Stop, Ok(())),
            (Self::Freeze, Ok(())),
            (Self::SlowDisk, Ok(())),
            (Self::Power(Format::Ext4), ext4.clone()),
            (Self::Kill(Db::MariaDb), mariadb.clone()),
            (Self::Power(Format::Xfs), xfs.clone()),
            (Self::PowerOfFiles(Format::Ext4), ext4),
            (Self::PowerOfMariaDb, xfs.clone()),
            (Self::Database, mariadb),
            (Self::PowerOfFiles(Format::Xfs), xfs),
        ]
    }
}

/// Plays until the time is over, and at least one round of each kind; whether nothing was found.
///
/// # Errors
/// When the report cannot be written.
pub fn play(run: &Run, tell: impl Fn(&str)) -> io::Result<bool> {
    fs::create_dir_all(&run.directory)?;
    let mut rounds_file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(run.directory.join("rounds.jsonl"))?;
    let (mut kinds, mut missing) = (Vec::new(), Vec::new());
    for (kind, is_possible) in Kind::possible(run) {
        match is_possible {
            Ok(()) => kinds.push(kind),
            Err(why) => missing.push(format!("{}: {why}", kind.name())),
        }
    }
    missing
        .iter()
        .for_each(|it| tell(&format!("NOT TRIED: {it}")));
    let began = Instant::now();
    let mut rounds = Vec::new();
    for (seed, kind) in (run.seed..).zip(kinds.iter().cycle()) {
        if rounds.len() >= kinds.len() && began.elapsed() >= run.time {
            break;
        }
        let round = one(run, *kind, seed);
        tell(&line(&round));
        writeln!(rounds_file, "{}", serde_json::to_string(&round)?)?;
        rounds.push(round);
        report::write(&run.directory, &rounds, &missing, began.elapsed())?;
    }
    let is_good = |round: &Round| round.violations.is_empty() && round.unjudged.is_none();
    Ok(rounds.iter().all(is_good))
}

fn line(round: &Round) -> String {
    let mut line = format!(
        "{}, seed {}: {} s, {} seeds, {} acknowledged, {} strikes, {} violations",
        round.what,
        round.seed,
        round.seconds.round(),
        round.seeds,
        round.acknowledged,
        round.strikes,
        round.violations.len(),
    );
    if let Some(why) = &round.unjudged {
        line.push_str(&format!(", NOT JUDGED: {why}"));
    }
    line
}

fn one(run: &Run, kind: Kind, seed: u64) -> Round {
    let began = Instant::now();
    let mut round = Round {
        what: kind.name(),
        seed,
        seconds: 0.0,
        seeds: 0,
        acknowledged: 0,
        strikes: 0,
        violations: Vec::new(),
        unjudged: None,
        recoveries_ms: Vec::new(),
    };
    let history = run.directory.join(format!("history-{seed}.jsonl"));
    let played = catch_unwind(AssertUnwindSafe(|| match &run.simulation {
        Some(program) if kind == Kind::Simulation => simulate(run, program, seed, &mut round),
        _ => storm(kind, seed, &history, &mut round),
    }));
    round.unjudged = match played {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("the play panicked, see above".to_owned()),
    };
    if round.violations.is_empty() && round.unjudged.is_none() {
        let _ = fs::remove_file(&history);
    }
    round.seconds = began.elapsed().as_secs_f64();
    round
}

fn storm(kind: Kind, seed: u64, history: &Path, round: &mut Round) -> io::Result<()> {
    let play = Play {
        seed,
        strikes: kind.strikes(),
        file: Some(history.to_owned()),
        planted: None,
    };
    let outcome: Outcome = match kind {
        Kind::Kill(db) => kills(db, &play)?,
        Kind::Stop => stops(Db::Sqlite, &play)?,
        Kind::Freeze => freezes(Db::Sqlite, &play)?,
        Kind::SlowDisk => slow_syncs(&play)?,
        Kind::Database => database_faults(&play)?,
        Kind::Power(format) => cuts(Mount::new(format)?, format, Cut::Everything, &play)?,
        Kind::PowerOfFiles(format) => cuts(Mount::new(format)?, format, Cut::Files, &play)?,
        Kind::PowerOfMariaDb => database_cuts(Mount::new(Format::Xfs)?, false, &play)?,
        Kind::Simulation => return Ok(()),
    };
    round.acknowledged = outcome.acknowledged;
    round.strikes = outcome.strikes;
    round.recoveries_ms = outcome
        .recoveries
        .iter()
        .map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX))
        .collect();
    round.violations = outcome.violations.iter().map(ToString::to_string).collect();
    let second = second_check::check(&outcome.history)?;
    if second != second_check::keys(&outcome.violations) {
        let words = format!("the second checker disagrees: {second:?}");
        round.violations.push(words);
    }
    Ok(())
}

/// The same seed means other seeds of the simulation in each round.
fn simulate(run: &Run, program: &Path, seed: u64, round: &mut Round) -> io::Result<()> {
    let first = seed * run.seeds;
    let output = Command::new(program)
        .arg("simulation::every_promise_holds_after_the_storm")
        .arg("--exact")
        .env("MYIM_FIRST_SEED", first.to_string())
        .env("MYIM_SEEDS", run.seeds.to_string())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !said.contains("running 1 test") {
        let words = format!("{} has no simulation", program.display());
        return Err(io::Error::other(words));
    }
    round.seeds = run.seeds;
    if !output.status.success() {
        let log = run.directory.join(format!("simulation-{seed}.log"));
        File::create(&log)?.write_all(&[output.stdout.as_slice(), &output.stderr].concat())?;
        let words = format!(
            "seeds {first} to {}: see {}",
            first + run.seeds,
            log.display()
        );
        round.violations.push(words);
    }
    Ok(())
}
