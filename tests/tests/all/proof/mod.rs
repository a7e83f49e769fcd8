//! Nothing is lost while the server is killed and the power of its disk is cut: short, seeded storms
//! of what `prove` plays at any length.
//!
//! `MYIM_SEED=7` plays another seed, `MYIM_KILLS=100` strikes more often.

use std::process::{Command, ExitStatus};

use myim_tests::process::program;
use myim_tests::proof::history::Event;
use myim_tests::proof::mount::{Format, or_skip};
use myim_tests::proof::rig::{
    Cut, Play, cuts, database_cuts, database_faults, freezes, kills, slow_syncs, stops,
};
use myim_tests::proof::second_check;
use myim_tests::proof::storm::Outcome;
use myim_tests::server::{Db, Kind, Setup};

mod checker;

fn number(name: &str, usual: u64) -> u64 {
    let Ok(text) = std::env::var(name) else {
        return usual;
    };
    let number = text.parse();
    number.unwrap_or_else(|_| panic!("{name}={text} is no number"))
}

fn how(strikes: u64) -> Play {
    let play = Play {
        seed: number("MYIM_SEED", 1),
        strikes: number("MYIM_KILLS", strikes),
        file: None,
        planted: None,
    };
    eprintln!("MYIM_SEED={} MYIM_KILLS={}", play.seed, play.strikes);
    play
}

/// Enough happened, nothing of it is wrong, and the second checker says so too.
fn is_good(outcome: &Outcome) {
    eprintln!("{}", outcome.figures());
    let told: Vec<_> = outcome.violations.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert_eq!(second_check::check(&outcome.history).unwrap(), []);
    let mut uploaded = outcome.history.iter();
    let uploaded = uploaded.any(|event| matches!(event, Event::Uploaded { .. }));
    assert!(uploaded, "no file was uploaded");
    assert!(
        outcome.acknowledged > 20 * outcome.strikes,
        "too little to prove anything"
    );
}

#[test]
fn kills_lose_nothing_on_sqlite() {
    is_good(&kills(Db::Sqlite, &how(4)).unwrap());
}

#[test]
fn kills_lose_nothing_on_mariadb() {
    is_good(&kills(Db::MariaDb, &how(2)).unwrap());
}

#[test]
fn a_server_that_stops_in_order_forgets_nothing() {
    is_good(&stops(Db::Sqlite, &how(4)).unwrap());
}

#[test]
fn a_server_that_stands_still_forgets_nothing() {
    is_good(&freezes(Db::Sqlite, &how(3)).unwrap());
}

#[test]
fn a_disk_that_takes_long_loses_nothing() {
    is_good(&slow_syncs(&how(2)).unwrap());
}

#[test]
fn power_cuts_lose_nothing_on_ext4() {
    if let Some(mount) = or_skip(Format::Ext4, "a power cut of ext4") {
        is_good(&cuts(mount, Format::Ext4, Cut::Everything, &how(2)).unwrap());
    }
}

#[test]
fn power_cuts_lose_nothing_on_xfs() {
    if let Some(mount) = or_skip(Format::Xfs, "a power cut of xfs") {
        is_good(&cuts(mount, Format::Xfs, Cut::Everything, &how(2)).unwrap());
    }
}

#[test]
fn power_cuts_of_mariadb_lose_nothing() {
    if let Some(mount) = or_skip(Format::Xfs, "a power cut of MariaDB") {
        is_good(&database_cuts(mount, false, &how(1)).unwrap());
    }
}

#[test]
fn a_mariadb_that_dies_freezes_and_stops_loses_nothing() {
    is_good(&database_faults(&how(3)).unwrap());
}

#[test]
fn a_weak_mariadb_is_found_out() {
    let Some(mount) = or_skip(Format::Xfs, "the loss that a weak MariaDB brings") else {
        return;
    };
    let outcome = database_cuts(mount, true, &how(0)).unwrap();
    eprintln!("{}", outcome.figures());
    let mut found = outcome.violations.iter();
    assert!(
        found.any(|one| one.invariant == "I1"),
        "this rig finds no loss"
    );
}

#[test]
fn a_power_cut_of_the_files_loses_none() {
    if let Some(mount) = or_skip(Format::Ext4, "a power cut of the files") {
        is_good(&cuts(mount, Format::Ext4, Cut::Files, &how(0)).unwrap());
    }
}

#[test]
fn a_normal_build_has_no_planted_bugs() {
    // One that has them refuses a bug that it does not know, at the first place where one stands.
    let setup = Setup::new(Kind::Whole, Db::Sqlite).variable("PLANTED_BUGS", "none of them");
    let server = setup.start();
    server.newcomer("ann");
    assert!(server.stop().iter().all(ExitStatus::success));
    let mut grep = Command::new("grep");
    grep.args(["-q", "-a", "-F", "acknowledged-before-commit"]);
    let found = grep.arg(program("myim")).status().unwrap();
    assert_eq!(
        found.code(),
        Some(1),
        "myim was built with the feature `planted`"
    );
}

#[test]
fn a_disk_that_lies_is_found_out() {
    let Some(mount) = or_skip(Format::Ext4, "the loss that a power cut brings") else {
        return;
    };
    let outcome = cuts(mount, Format::Ext4, Cut::Lying, &how(0)).unwrap();
    eprintln!("{}", outcome.figures());
    let broken = |invariant| {
        let mut found = outcome.violations.iter();
        found.any(|one| one.invariant == invariant)
    };
    assert!(broken("I1") && broken("I10"), "this rig finds no loss");
    let second = second_check::check(&outcome.history).unwrap();
    assert_eq!(second_check::keys(&outcome.violations), second);
}
