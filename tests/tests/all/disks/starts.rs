//! A server is killed at each step with which it starts or stops: the next start finds all that was
//! saved.

use std::os::unix::process::ExitStatusExt as _;

use myim_tests::faults::{Fault, Faults};
use myim_tests::process::{PROCESS_PATIENCE, Process};
use rustix::process::Signal;

use super::places;
use super::rig::{Rig, setup};

/// Starts that are not struck say so, and are killed then; the others end by themselves.
fn ends_by_its_step(started: &Process) -> bool {
    let is_ready = started.prints_within("ready ", PROCESS_PATIENCE);
    if is_ready {
        started.kill();
        return false;
    }
    let status = started.wait(PROCESS_PATIENCE);
    assert_eq!(
        status.signal(),
        Some(Signal::KILL.as_raw()),
        "{}",
        started.story()
    );
    true
}

/// What a killed server left is taken up by the next one: the database's log, unfinished files.
#[test]
fn a_start_after_a_kill() {
    let mut rig = Rig::new("a start after a kill");
    let mut play = |name: &str, fault| {
        rig.say(name);
        rig.server.kill();
        rig.has_crashed("kill -9");
        rig.faults.order(fault);
        let started = rig.server.setup().start_unready();
        let is_struck = ends_by_its_step(&started[0]);
        let steps = rig.faults.steps();
        rig.faults.over();
        rig.again();
        rig.say(name);
        (is_struck, steps)
    };
    let (_, steps) = play("start-0", Fault::None);
    let length = u64::try_from(steps.len()).unwrap();
    eprintln!("a start after a kill: {length} steps\n{}", steps.join("\n"));
    let chosen = places(4, length, 6);
    let mut struck = 0;
    for step in &chosen {
        let (is_struck, _) = play(&format!("start-{step}"), Fault::Kill(*step));
        struck += u64::from(is_struck);
    }
    eprintln!("a start after a kill: struck {struck} times, at {chosen:?}");
    assert!(struck > 0, "it was never struck");
    rig.judge();
}

/// The tables are made, or the next start makes them.
#[test]
fn the_first_start() {
    let faults = Faults::new();
    let play = |fault| {
        let setup = faults.under(setup());
        faults.order(fault);
        let started = setup.start_unready();
        let is_struck = ends_by_its_step(&started[0]);
        let steps = faults.steps();
        faults.over();
        let server = setup.start();
        server.newcomer("ann");
        server.admin(&["log", "verify"]).ok();
        (is_struck, steps)
    };
    let (_, steps) = play(Fault::None);
    let length = u64::try_from(steps.len()).unwrap();
    eprintln!("the first start: {length} steps\n{}", steps.join("\n"));
    let chosen = places(3, length, 7);
    let struck = chosen.iter().filter(|step| play(Fault::Kill(**step)).0);
    let struck = struck.count();
    eprintln!("the first start: struck {struck} times, at {chosen:?}");
    assert!(struck > 0, "it was never struck");
}

/// The end moves the log into the database.
#[test]
fn a_stop() {
    let mut rig = Rig::new("a stop");
    let mut play = |name: &str, fault| {
        rig.say(name);
        rig.faults.order(fault);
        let status = rig.server.stop()[0];
        let steps = rig.faults.steps();
        rig.faults.over();
        let is_struck = status.signal() == Some(Signal::KILL.as_raw());
        assert!(is_struck || status.success(), "{status}");
        if is_struck {
            rig.has_crashed("killed while it stopped");
        }
        rig.again();
        rig.say(name);
        (is_struck, steps)
    };
    let (_, steps) = play("stop-0", Fault::None);
    let length = u64::try_from(steps.len()).unwrap();
    eprintln!("a stop: {length} steps\n{}", steps.join("\n"));
    let chosen = places(4, length, 8);
    let mut struck = 0;
    for step in &chosen {
        let (is_struck, _) = play(&format!("stop-{step}"), Fault::Kill(*step));
        struck += u64::from(is_struck);
    }
    eprintln!("a stop: struck {struck} times, at {chosen:?}");
    assert!(struck > 0, "it was never struck");
    rig.judge();
}
