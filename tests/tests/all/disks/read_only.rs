//! A disk that lets nobody write any more, as Linux makes it when it finds damage: reading goes on,
//! everything else is refused, and after the disk was mounted anew a start brings all back.

use myim_tests::files::sha256;
use myim_tests::proof::mount::{Mount, small_or_skip};
use myim_tests::transfer::content;

use super::rig::{Rig, json_of, setup, shown};
use super::{ended_by_the_disk, is_not_ready};

const DISK_BYTES: u64 = 64 << 20;
const NAMES: u64 = 2000;
/// How often the disk may fail while something is being written, before that is no chance any more.
const PLAYS: u32 = 10;

#[test]
fn a_disk_that_can_only_be_read() {
    for _ in 0..PLAYS {
        let Some(mut mount) = small_or_skip(DISK_BYTES, NAMES, "a disk that can only be read")
        else {
            return;
        };
        if refuses_at_once(&mut mount) {
            return;
        }
    }
    panic!("in {PLAYS} plays the disk always failed in the middle of a write");
}

/// Plays once. False if the disk failed between a write and its sync, for the server also writes what
/// nobody waits for: then it has to end, which is played as well.
fn refuses_at_once(mount: &mut Mount) -> bool {
    let setup = setup().in_directory(&mount.path());
    let mut rig = Rig::on("a disk that can only be read", setup);
    rig.say("before");
    rig.upload(1);
    mount.sync().unwrap();
    mount.fail().unwrap();
    rig.say_in_vain("during");
    let ends = has_lost_a_sync(&rig);
    if ends {
        ended_by_the_disk(&rig);
    } else {
        reading_goes_on(&rig);
        // Such a disk stays so until it is mounted anew, and for that nobody may use it.
        rig.server.stop();
        rig.has_crashed("stopped on a disk that can only be read");
    }
    mount.power_up().unwrap();
    rig.again();
    rig.say("during");
    rig.upload(2);
    rig.is_whole(1);
    rig.judge();
    !ends
}

/// Whether the server noticed that a sync failed, after which it ends.
fn has_lost_a_sync(rig: &Rig) -> bool {
    let courier = rig.courier(rig.server.admin[0]);
    let asked = courier.ask(("GET", "/metrics"), &[], b"", || {});
    asked.map_or(true, |reply| {
        let told = String::from_utf8_lossy(&reply.body);
        told.contains(r#"myim_db_errors_total{class="sync_failed"}"#)
    })
}

#[track_caller]
fn reading_goes_on(rig: &Rig) {
    let reply = rig.try_upload(2).expect("the server answers");
    assert_eq!(reply.status, 503, "{}", shown(&reply));
    assert_eq!(json_of(&reply)["code"], "storage_unavailable");
    is_not_ready(&rig.server, "database");
    is_not_ready(&rig.server, "filecache");
    // What was there can be read.
    assert_eq!(rig.said(), ["before".to_owned()].into());
    rig.is_whole(1);
    let gone = rig.server.files().with_token(&rig.ann.token);
    let gone = gone.get(&sha256(&content(100_000, 2)));
    assert_eq!(gone.status, 404, "{gone}");
}
