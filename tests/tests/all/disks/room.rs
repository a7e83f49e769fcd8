//! Disks without room, and without room for names: what cannot be saved is refused in clear words,
//! everything else goes on, and when there is room again all works without a start.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use myim_tests::files::{TUS, sha256};
use myim_tests::process::PROCESS_PATIENCE;
use myim_tests::proof::mount::{Mount, small_or_skip};
use myim_tests::server::Setup;
use myim_tests::transfer::{Transfer, content, md5_name};
use myim_tests::wire::Flavor;
use tempfile::TempDir;

use super::rig::{Rig, json_of, setup, shown};
use super::{is_not_ready, is_ready_again};

const DISK_BYTES: u64 = 24 << 20;
/// Enough names for any test.
const NAMES: u64 = 1000;
/// What is left for messages in files that were there before is no more than this many.
const SENDS_MAX: u64 = 3000;

/// A server one of whose folders is a disk of its own.
struct OnDisk {
    /// Only kept.
    _own: TempDir,
    setup: Setup,
}

impl OnDisk {
    fn new(folder: &str, mount: &Mount) -> Self {
        let own = TempDir::with_prefix("myim-room-").unwrap();
        symlink(mount.path(), own.path().join(folder)).unwrap();
        // A small change may still find room where a message finds none: the server looks at the disk.
        let setup = setup()
            .without_chat_flag("--ready-disk-free-bytes-min")
            .chat_flag("--ready-disk-free-bytes-min", "1MiB");
        Self {
            setup: setup.in_directory(own.path()),
            _own: own,
        }
    }
}

/// Takes all room that there is.
fn fill(mount: &Mount) -> PathBuf {
    let path = mount.path().join("filler");
    let mut file = File::create(&path).unwrap();
    // In large pieces, and then in the smallest that a disk knows.
    for piece in [1 << 20, 4096, 512] {
        let zeros = vec![0; piece];
        loop {
            match file.write_all(&zeros) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
    }
    path
}

/// Takes all names that there are, also those that have become free since the last time.
fn fill_names(mount: &Mount) -> PathBuf {
    let folder = mount.path().join("names");
    fs::create_dir_all(&folder).unwrap();
    for number in 0.. {
        match File::create(folder.join(number.to_string())) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => break,
            Err(error) => panic!("{error}"),
        }
    }
    folder
}

#[test]
fn a_full_disk_under_the_database() {
    let Some(mount) = small_or_skip(DISK_BYTES, NAMES, "a full disk under the database") else {
        return;
    };
    let disk = OnDisk::new("data", &mount);
    let rig = Rig::on("a full disk", disk.setup.clone());
    let pid = rig.server.program().pid();
    rig.say("before");
    let filler = fill(&mount);
    let mut stored = 1;
    let refused = loop {
        let name = format!("until-full-{stored}");
        let reply = rig.try_say(&name).expect("the server answers");
        if reply.status == 503 {
            let problem = json_of(&reply);
            assert_eq!(problem["code"], "storage_unavailable", "{problem}");
            // This is sure: nothing of it was saved.
            let words = problem["detail"].as_str().unwrap();
            assert!(!words.contains("did not say"), "{words}");
            break name;
        }
        assert_eq!(reply.status, 201, "{}", shown(&reply));
        stored += 1;
        assert!(stored < SENDS_MAX, "the disk is not full");
    };
    rig.server.logged("the disk is full");
    is_not_ready(&rig.server, "disk");
    rig.say_in_vain("also-refused");
    // Reading goes on, and nothing stands there that was refused.
    let said = rig.said();
    assert!(!said.contains(&refused) && !said.contains("also-refused"));
    assert_eq!(u64::try_from(said.len()).unwrap(), stored);
    // Files are elsewhere, and what is known about them is not.
    let reply = rig.try_upload(1).expect("the server answers");
    assert_eq!(reply.status, 503, "{}", shown(&reply));

    fs::remove_file(filler).unwrap();
    rig.say(&refused);
    rig.say("also-refused");
    rig.upload(1);
    is_ready_again(&rig.server);
    assert_eq!(rig.server.program().pid(), pid);
    rig.server.admin(&["log", "verify"]).ok();
    rig.judge();
}

#[test]
fn a_full_disk_under_the_files() {
    let Some(mount) = small_or_skip(DISK_BYTES, NAMES, "a full disk under the files") else {
        return;
    };
    let disk = OnDisk::new("filecache", &mount);
    let rig = Rig::on("a full disk under the files", disk.setup.clone());
    rig.upload(1);
    let resumable = content(60_000, 3);
    let files = rig.server.files().with_token(&rig.ann.token);
    let place = files.create(resumable.len());
    assert_eq!(files.patch(&place, 0, &resumable[..1000]).status, 204);

    let filler = fill(&mount);
    let reply = rig.try_upload(2).expect("the server answers");
    assert_eq!(reply.status, 507, "{}", shown(&reply));
    assert_eq!(json_of(&reply)["code"], "disk_full");
    let told = files.patch(&place, 1000, &resumable[1000..]);
    told.refused(507, "disk_full");
    let bytes = content(90_000, 4);
    let mut old = Transfer::connect(rig.server.file, Flavor::Pc);
    assert!(!old.upload_as(&md5_name(&bytes), &bytes));
    is_not_ready(&rig.server, "filecache");
    // Messages are elsewhere, and files can be read.
    rig.say("meanwhile");
    rig.is_whole(1);
    nothing_half(&mount.path(), 1);

    fs::remove_file(filler).unwrap();
    rig.upload(2);
    let mut old = Transfer::connect(rig.server.file, Flavor::Pc);
    assert!(old.upload_as(&md5_name(&bytes), &bytes));
    rig.has_uploaded(&bytes);
    // What came of it before the disk was full is not lost.
    let offset = files.offset(&place);
    assert!(offset >= 1000, "{offset}");
    let told = files.patch(&place, offset, &resumable[offset..]);
    assert_eq!(told.header("myim-file"), sha256(&resumable), "{told}");
    rig.has_uploaded(&resumable);
    is_ready_again(&rig.server);
    rig.judge();
}

/// So many stored files, and none that is still to become one.
fn nothing_half(filecache: &Path, stored: usize) {
    let count = |folder: &Path| -> usize {
        let mut folders = vec![folder.to_owned()];
        let mut files = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files += 1,
                }
            }
        }
        files
    };
    assert_eq!(count(&filecache.join("blobs")), stored);
}

#[test]
fn no_names_left_under_the_files() {
    let Some(mount) = small_or_skip(DISK_BYTES, 128, "a disk without names") else {
        return;
    };
    let disk = OnDisk::new("filecache", &mount);
    let rig = Rig::on("no names left under the files", disk.setup.clone());
    rig.upload(1);
    let names = fill_names(&mount);
    let reply = rig.try_upload(2).expect("the server answers");
    assert_eq!(reply.status, 507, "{}", shown(&reply));
    assert_eq!(json_of(&reply)["code"], "disk_full");
    let files = rig.server.files().with_token(&rig.ann.token);
    let begun = files.ask("POST", "/files/", &[TUS, ("upload-length", "9")], b"");
    begun.refused(507, "disk_full");
    is_not_ready(&rig.server, "filecache");
    rig.is_whole(1);
    rig.say("meanwhile");
    fs::remove_dir_all(names).unwrap();
    rig.upload(2);
    is_ready_again(&rig.server);
    rig.judge();
}

#[test]
fn no_names_left_under_the_database() {
    let Some(mount) = small_or_skip(DISK_BYTES, 64, "a disk without names") else {
        return;
    };
    let disk = OnDisk::new("data", &mount);
    let mut rig = Rig::on("no names left under the database", disk.setup.clone());
    let names = fill_names(&mount);
    // A running server has all that it needs.
    rig.say("meanwhile");
    assert!(rig.server.stop()[0].success());
    // There is no name for the log of the database, when its own is taken.
    fill_names(&mount);
    let refused = rig.server.setup().start_unready();
    let status = refused[0].wait(PROCESS_PATIENCE);
    assert_eq!(status.code(), Some(74), "{}", refused[0].story());
    let log = refused[0].log();
    assert!(
        log.contains("myim.db") && log.contains("may be written"),
        "{log}"
    );
    fs::remove_dir_all(names).unwrap();
    rig.again();
    rig.say("afterwards");
    rig.judge();
}
