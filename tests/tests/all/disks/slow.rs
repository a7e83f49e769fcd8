//! The disk takes long for each sync of the database: whoever sends waits as long, and nobody else
//! does. What many people see of it is one of the storms (`proof`).

use std::thread;
use std::time::{Duration, Instant};

use myim_tests::faults::Fault;
use myim_tests::process::PROCESS_PATIENCE;

use super::rig::Rig;
use super::{is_not_ready, is_ready_again};

/// More than the second that `/readyz` waits, and more than anything takes on a busy machine that
/// does not wait for the disk.
const SYNC_MS: u64 = 4000;
const SYNC: Duration = Duration::from_millis(SYNC_MS);

#[test]
fn only_who_sends_waits_for_a_slow_disk() {
    let rig = Rig::new("a slow disk");
    let mut device = rig.ann.connect();
    rig.say("before");
    let before = rig.said();
    for words in ["one", "two"] {
        // Nobody else has something saved.
        is_ready_again(&rig.server);
        rig.faults.order(Fault::SlowSync {
            file: "myim.db",
            ms: SYNC_MS,
        });
        thread::scope(|scope| {
            let began = Instant::now();
            let sender = scope.spawn(|| rig.say(words));
            is_being_synced(&rig);
            let asked = Instant::now();
            assert!(rig.said().is_superset(&before));
            device.ping();
            is_not_ready(&rig.server, "database");
            assert!(!sender.is_finished(), "{words} did not wait for the disk");
            let time = asked.elapsed();
            assert!(time < SYNC, "others waited for the disk, {time:?}");
            sender.join().unwrap();
            assert!(began.elapsed() >= SYNC, "{words} did not wait for the disk");
        });
        assert!(rig.said().contains(words));
        rig.faults.over();
    }
    is_ready_again(&rig.server);
    let began = Instant::now();
    rig.say("after");
    assert!(began.elapsed() < SYNC, "the server is still slow");
    rig.judge();
}

/// Waits until somebody waits for the disk.
fn is_being_synced(rig: &Rig) {
    let deadline = Instant::now() + PROCESS_PATIENCE;
    while rig.faults.steps().is_empty() {
        assert!(Instant::now() < deadline, "nothing is synced");
        thread::yield_now();
    }
}
