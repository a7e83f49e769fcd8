//! The disk fails to sync the database: the server says that nobody knows, and ends; the next start
//! reads what is there, and makes sure of it.

use std::thread;

use myim_tests::api_person::segments;
use myim_tests::courier::Reply;
use myim_tests::faults::Fault;
use myim_tests::process::{PROCESS_PATIENCE, Process};
use myim_tests::proof::mount::{Format, or_skip};
use serde_json::json;

use super::rig::{Rig, json_of, setup, shown};
use super::{EX_IOERR, ended_by_the_disk};

const LOG: &str = "myim.db-wal";

/// The log cannot be synced when this stands in it.
fn fails(words: &str) -> Fault<'_> {
    Fault::FailSyncOf { words, file: LOG }
}

#[test]
fn a_failed_sync_ends_the_server() {
    let mut rig = Rig::new("a failed sync");
    rig.say("before");
    rig.faults.order(fails("during"));
    let told = rig.say_in_vain("during");
    let words = told["detail"].as_str().unwrap();
    assert!(words.contains("did not say whether"), "{words}");
    ended_by_the_disk(&rig);
    // After the sync that failed nothing more was committed: each commit syncs.
    let syncs = rig.faults.steps();
    assert_eq!(syncs.len(), 1, "{syncs:?}");
    rig.faults.over();
    rig.again();
    rig.say("during");
    rig.say("after");
    rig.judge();
}

/// Each of those whose messages were under way is answered.
#[test]
fn everybody_is_told_of_a_failed_sync() {
    let mut rig = Rig::new("a failed sync, many senders");
    rig.faults.order(fails("one-of-many"));
    let names: Vec<_> = (0..16)
        .map(|number| format!("one-of-many-{number}"))
        .collect();
    let told: Vec<Option<Reply>> = thread::scope(|scope| {
        let rig = &rig;
        let senders = names.iter();
        let senders = senders.map(|name| scope.spawn(move || rig.try_say(name)));
        let senders: Vec<_> = senders.collect();
        let told = senders.into_iter().map(|sender| sender.join().unwrap());
        told.collect()
    });
    ended_by_the_disk(&rig);
    let mut unknown = 0;
    for reply in told.iter().flatten() {
        let code = json_of(reply)["code"].clone();
        // Who came too late hears that the server stops.
        assert!(reply.status == 503, "{}", shown(reply));
        unknown += u64::from(code == "storage_unavailable");
    }
    assert!(unknown > 0, "nobody was told");
    rig.faults.over();
    rig.again();
    names.iter().for_each(|name| rig.say(name));
    // They spoke all at once, so nobody can say in which order.
    assert_eq!(rig.said(), names.into_iter().collect());
    rig.server.admin(&["log", "verify"]).ok();
}

/// One file is not the database: what cannot be synced is refused, and the server goes on.
#[test]
fn an_upload_is_not_confirmed_when_its_sync_fails() {
    let rig = Rig::new("a failed sync of a file");
    rig.upload(1);
    rig.faults.order(Fault::FailSync("filecache/tmp"));
    let reply = rig.try_upload(2).expect("the server answers");
    assert_eq!(reply.status, 503, "{}", shown(&reply));
    assert_eq!(json_of(&reply)["code"], "storage_unavailable");
    rig.faults.over();
    rig.is_whole(1);
    rig.upload(2);
    rig.judge();
}

/// The file is there, and nobody knows whether the database has noted it.
#[test]
fn an_upload_is_told_of_a_failed_sync_of_the_database() {
    let mut rig = Rig::new("a failed sync of the database, at an upload");
    rig.upload(1);
    rig.faults.order(Fault::FailSync(LOG));
    let reply = rig.try_upload(2).expect("the server answers");
    assert_eq!(reply.status, 503, "{}", shown(&reply));
    let problem = json_of(&reply);
    assert_eq!(problem["code"], "storage_unavailable", "{problem}");
    let words = problem["detail"].as_str().unwrap();
    assert!(words.contains("did not say whether"), "{words}");
    ended_by_the_disk(&rig);
    rig.faults.over();
    rig.again();
    rig.is_whole(1);
    rig.upload(2);
    rig.judge();
}

/// Until it is said otherwise the system takes what it could not write for written. So what a start
/// finds in the log may stand in memory alone, and nothing may be built upon it before it was written
/// anew: here the log itself never reaches the disk.
#[test]
fn a_start_makes_sure_of_what_it_finds() {
    let Some(mut mount) = or_skip(Format::Xfs, "a power cut behind a failed sync") else {
        return;
    };
    let mut rig = Rig::on("a failed sync, then a power cut", {
        setup().in_directory(&mount.path())
    });
    rig.say("before");
    mount.sync().unwrap();
    rig.faults.order(fails("during"));
    rig.say_in_vain("during");
    ended_by_the_disk(&rig);
    rig.faults.order(Fault::LieAbout(LOG));
    rig.again();
    // Nothing new is written for what was found.
    assert!(rig.was_there("during"));
    rig.server.programs().iter().for_each(Process::freeze);
    mount.cut().unwrap();
    rig.server.kill();
    mount.power_up().unwrap();
    rig.has_crashed("power cut");
    rig.faults.over();
    rig.again();
    rig.judge();
}

/// A database that cannot be made sure of is not served.
#[test]
fn a_start_that_cannot_make_sure_ends() {
    let rig = Rig::new("a failed sync at the start");
    rig.say("before");
    rig.server.kill();
    rig.faults.order(Fault::FailSync("myim.db"));
    let started = rig.server.setup().start_unready();
    let status = started[0].wait(PROCESS_PATIENCE);
    assert_eq!(status.code(), Some(EX_IOERR), "{}", started[0].story());
    let log = started[0].log();
    assert!(log.contains("the disk failed"), "{log}");
    let mut rig = rig;
    rig.faults.over();
    rig.again();
    rig.say("after");
    rig.judge();
}

/// Whoever waits at a WebSocket is answered too.
#[test]
fn a_websocket_is_answered_when_a_sync_fails() {
    let rig = Rig::new("a failed sync, at a WebSocket");
    let mut device = rig.ann.connect();
    rig.faults.order(fails("hello"));
    let to = json!({"conversation": rig.conversation});
    let told = device.try_send_to(&to, "ws", &segments("hello"));
    let told = told.unwrap_err();
    assert_eq!(told["code"], "storage_unavailable", "{told}");
    ended_by_the_disk(&rig);
}
