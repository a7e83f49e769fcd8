//! Storms as tests and `prove` play them: which server, on which disk, struck by what.

use std::io;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use super::mount::{Format, Mount, lying_library};
use super::storm::{Outcome, Plan, Struck, play, unhurried};
use crate::dice::Dice;
use crate::faults::{Fault, Faults};
use crate::mariadb::{Database, MariaDb};
use crate::process::Process;
use crate::server::{Db, Kind, Server, Setup};

/// For how long a database is away at most: longer than a server tries to commit again.
const ABSENCE_MS_MAX: u64 = 7000;
/// For how long a server stands still at most.
const STANDSTILL_MS_MAX: u64 = 4000;
/// For how long a disk is slow at most, and how long each sync takes meanwhile.
const SLOWNESS_MS_MAX: u64 = 5000;
const SYNC_MS: u64 = 300;

/// How a storm is played.
#[derive(Clone, Debug)]
pub struct Play {
    pub seed: u64,
    pub strikes: u64,
    /// Where to write the history.
    pub file: Option<PathBuf>,
    /// The bug that the server is to have, if it was built to have any.
    pub planted: Option<&'static str>,
}

/// What the power is cut of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Everything that the server writes stands on the disk, and it comes back after each cut.
    Everything,
    /// The same, and what the disk has after one last cut is judged.
    ForGood,
    /// The same, on a disk that says to have synced what it has not.
    Lying,
    /// Only the files stand on the disk, so that no commit of the database syncs them by chance;
    /// judged after one last cut.
    Files,
}

fn start(setup: Setup, play: &Play) -> Server {
    let setup = unhurried(setup).wait_for_database();
    match play.planted {
        Some(bug) => setup.variable("PLANTED_BUGS", bug).may_panic().start(),
        None => setup.start(),
    }
}

fn plan(play: &Play, fault: &str, ends_struck: bool) -> Plan {
    Plan {
        seed: play.seed,
        strikes: play.strikes,
        fault: fault.to_owned(),
        struck: Struck::Dead,
        ends_struck,
        file: play.file.clone(),
    }
}

/// `kill -9` at random moments.
///
/// # Errors
/// When the play cannot be played to its end.
pub fn kills(db: Db, how: &Play) -> io::Result<Outcome> {
    let server = start(Setup::new(Kind::Whole, db), how);
    play(server, &plan(how, "kill -9", false), &mut |server| {
        server.kill();
        Ok(())
    })
}

/// `SIGTERM` at random moments: the server brings to an end what it was asked.
///
/// # Errors
/// When the play cannot be played to its end.
pub fn stops(db: Db, how: &Play) -> io::Result<Outcome> {
    let server = start(Setup::new(Kind::Whole, db), how);
    let plan = Plan {
        struck: Struck::Stopped,
        ..plan(how, "SIGTERM", false)
    };
    play(server, &plan, &mut |server| {
        if server.stop().iter().all(ExitStatus::success) {
            return Ok(());
        }
        Err(io::Error::other(server.program().story()))
    })
}

/// The server stands still at random moments (`SIGSTOP`), and goes on some seconds later.
///
/// # Errors
/// When the play cannot be played to its end.
pub fn freezes(db: Db, how: &Play) -> io::Result<Outcome> {
    let server = start(Setup::new(Kind::Whole, db), how);
    let mut dice = Dice::new(how.seed, 1);
    play(server, &held_up(how, "SIGSTOP, SIGCONT"), &mut |server| {
        server.programs().iter().for_each(Process::freeze);
        last(Duration::from_millis(dice.from(0, STANDSTILL_MS_MAX)));
        for program in server.programs() {
            program.signal(Signal::CONT);
        }
        Ok(())
    })
}

/// The disk takes long for each sync of the database, for some seconds at a time.
///
/// # Errors
/// When the play cannot be played to its end.
pub fn slow_syncs(how: &Play) -> io::Result<Outcome> {
    let faults = Faults::new();
    let server = start(faults.under(Setup::new(Kind::Whole, Db::Sqlite)), how);
    let slow = Fault::SlowSync {
        file: "myim.db",
        ms: SYNC_MS,
    };
    let mut dice = Dice::new(how.seed, 1);
    play(server, &held_up(how, "slow syncs"), &mut |_| {
        faults.order(slow);
        last(Duration::from_millis(dice.from(SYNC_MS, SLOWNESS_MS_MAX)));
        let were_slow = faults.steps().len();
        faults.over();
        if were_slow > 0 {
            return Ok(());
        }
        Err(io::Error::other("nothing was synced meanwhile"))
    })
}

fn held_up(how: &Play, fault: &str) -> Plan {
    Plan {
        struck: Struck::HeldUp,
        ..plan(how, fault, false)
    }
}

/// The power of the disk is cut at random moments.
///
/// # Errors
/// When the play cannot be played to its end.
pub fn cuts(mut mount: Mount, format: Format, cut: Cut, how: &Play) -> io::Result<Outcome> {
    let own = TempDir::with_prefix("myim-cut-")?;
    let mut setup = Setup::new(Kind::Whole, Db::Sqlite);
    setup = match cut {
        Cut::Files => {
            symlink(mount.path(), own.path().join("filecache"))?;
            setup.in_directory(own.path())
        }
        _ => setup.in_directory(&mount.path()),
    };
    if cut == Cut::Lying {
        let library = lying_library(own.path())?;
        setup = setup.variable("LD_PRELOAD", &library.to_string_lossy());
    }
    let server = start(setup, how);
    // What is there before the storm is not what a cut is about.
    mount.sync()?;
    let fault = format!("power cut of {format:?}, {cut:?}");
    play(
        server,
        &plan(how, &fault, cut != Cut::Everything),
        &mut |server| {
            // The processor stops first: while a file system is shut down the kernel lets some syncs
            // succeed whose data it drops, and no answer may be sent after the lights went out.
            server.programs().iter().for_each(Process::freeze);
            mount.cut()?;
            server.kill();
            mount.power_up()
        },
    )
}

/// MariaDB is killed, frozen, and stopped in order, by turns, under a server that lives on.
///
/// # Errors
/// When the play cannot be played to its end.
pub fn database_faults(how: &Play) -> io::Result<Outcome> {
    let mut instance = MariaDb::private();
    let database = Arc::new(Database::on(&instance.url()));
    let server = start(Setup::with_database(Kind::Whole, Some(database)), how);
    let plan = Plan {
        struck: Struck::Undermined,
        ..plan(how, "MariaDB killed, frozen, stopped", false)
    };
    let mut dice = Dice::new(how.seed, 1);
    let mut turns = how.seed..;
    play(server, &plan, &mut |_| {
        let absence = Duration::from_millis(dice.from(0, ABSENCE_MS_MAX));
        match turns.next().map(|turn| turn % 3) {
            Some(0) => {
                instance.process().freeze();
                last(absence);
                instance.process().signal(Signal::CONT);
                return Ok(());
            }
            Some(1) => instance.kill(),
            _ => instance.stop(),
        }
        last(absence);
        instance.start();
        Ok(())
    })
}

/// A fault lasts so long.
fn last(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        thread::park_timeout(until - Instant::now());
    }
}

/// The power of MariaDB's disk is cut at random moments, and the server is killed with it. A weak
/// one has the system write its log whenever it likes, and what it has after one last cut is judged.
///
/// # Errors
/// When the play cannot be played to its end.
pub fn database_cuts(mut mount: Mount, is_weak: bool, how: &Play) -> io::Result<Outcome> {
    let mut instance = MariaDb::not_started_in(&mount.path());
    if is_weak {
        instance.flag("--innodb-flush-log-at-trx-commit=2".to_owned());
        // By itself it syncs every second, which may be the one before the cut.
        instance.flag("--innodb-flush-log-at-timeout=600".to_owned());
    }
    instance.start();
    let database = Arc::new(Database::on(&instance.url()));
    let mut setup = Setup::with_database(Kind::Whole, Some(database));
    if is_weak {
        setup = setup.variable("MYIM_ACCEPT_WEAK_DURABILITY", "true");
    }
    let server = start(setup, how);
    mount.sync()?;
    let fault = "power cut of MariaDB";
    play(server, &plan(how, fault, is_weak), &mut |server| {
        server.programs().iter().for_each(Process::freeze);
        instance.process().freeze();
        mount.cut()?;
        instance.kill();
        server.kill();
        mount.power_up()?;
        instance.start();
        Ok(())
    })
}
