//! `myim admin files scrub --repair` is killed at each step: nothing good is harmed, and the next one
//! ends where an undisturbed one would have.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use myim_tests::admin::wait;
use myim_tests::files::{Files, sha256};
use myim_tests::machine::fake_time_or_skip;
use myim_tests::server::Server;
use myim_tests::transfer::content;

use super::replicas::{Replica, end_with, kill_everywhere};
use super::rig::setup;

const REPAIR: [&str; 5] = ["scrub", "--repair", "--json", "--copies", "backup"];

/// Files of a stopped server, of which some are not as they should be.
struct Wreck {
    server: Server,
    token: String,
    good: Vec<Vec<u8>>,
    /// In the backup: one was damaged, one is missing.
    restorable: [Vec<u8>; 2],
    /// Damaged, and nowhere else.
    damaged: Vec<u8>,
    /// Nobody knows it, and two days later it is old enough to go.
    orphan: Vec<u8>,
    /// What lets two days go by.
    clock: Option<PathBuf>,
}

impl Wreck {
    fn new() -> Self {
        let server = setup().start();
        let token = server.newcomer("ann").token;
        let files = server.files().with_token(&token);
        let mut contents = (0..6).map(|seed| content(3000, 400 + seed));
        let mut next = || contents.next().unwrap();
        let (good, restorable) = (vec![next(), next()], [next(), next()]);
        let (damaged, orphan) = (next(), next());
        for bytes in good.iter().chain(&restorable).chain([&damaged]) {
            files.post(bytes).ok(201);
        }
        assert!(server.stop()[0].success());
        let cache = server.setup().filecache();
        let backup = server.setup().directory().join("backup");
        for bytes in &restorable {
            write(&place(&backup, bytes), bytes);
        }
        write(&place(&cache, &restorable[0]), &[7; 3000]);
        fs::remove_file(place(&cache, &restorable[1])).unwrap();
        write(&place(&cache, &damaged), &[8; 3000]);
        write(&place(&cache, &orphan), &orphan);
        Self {
            server,
            token,
            good,
            restorable,
            damaged,
            orphan,
            clock: fake_time_or_skip(),
        }
    }

    /// The command that repairs, two days later.
    fn repair(&self, replica: &Replica) -> Command {
        let mut command = replica.files_command(&REPAIR);
        if let Some(library) = &self.clock {
            command.env("LD_PRELOAD", library).env("FAKETIME", "+2d");
            // Files stay as old as they are, and what measures how long something takes goes on.
            for name in [
                "NO_FAKE_STAT",
                "FAKETIME_DONT_FAKE_MONOTONIC",
                "DONT_FAKE_MONOTONIC",
            ] {
                command.env(name, "1");
            }
        }
        command
    }

    fn check(&self, replica: &Replica) {
        let server = replica.setup().start();
        let files = server.files().with_token(&self.token);
        for bytes in &self.good {
            is_whole(&files, bytes);
        }
        // What was missing is missing still, or whole.
        let missing = &self.restorable[1];
        let answer = files.get(&sha256(missing));
        let is_whole_now = answer.status == 200 && answer.body == *missing;
        assert!(is_whole_now || answer.status == 404, "{answer}");
        assert!(server.stop()[0].success());

        // Something is lost for good, so it ends with 1.
        wait(&mut self.repair(replica)).finds();
        let found = replica.files(&["scrub", "--json"]).finds();
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0]["file"], sha256(&self.damaged));
        assert_eq!(found[0]["fault"], "missing");
        let names = |contents: &[&Vec<u8>]| -> BTreeSet<String> {
            contents.iter().map(|bytes| sha256(bytes)).collect()
        };
        let [first, second] = &self.restorable;
        let mut whole = names(&[&self.good[0], &self.good[1], first, second]);
        if self.clock.is_none() {
            whole.insert(sha256(&self.orphan));
        }
        assert_eq!(replica.names("blobs"), whole);
        assert_eq!(replica.names("quarantine"), names(&[first, &self.damaged]));
        assert!(!replica.known().contains(&sha256(&self.orphan)));
        let server = replica.setup().start();
        let files = server.files().with_token(&self.token);
        for bytes in self.good.iter().chain(&self.restorable) {
            is_whole(&files, bytes);
        }
        // Nothing that was killed lies about, except the locks of the living.
        let left = replica.names("tmp");
        assert!(left.len() <= 2, "{left:?}");
        // And it heals by coming again.
        files.post(&self.damaged).ok(200);
        is_whole(&files, &self.damaged);
    }
}

/// Where a file cache has this content.
fn place(cache: &Path, bytes: &[u8]) -> PathBuf {
    let file = sha256(bytes);
    cache
        .join("blobs")
        .join(&file[..2])
        .join(&file[2..4])
        .join(file)
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[track_caller]
fn is_whole(files: &Files, bytes: &[u8]) {
    let answer = files.get(&sha256(bytes));
    assert_eq!(answer.status, 200, "{answer}");
    assert!(answer.body == bytes, "not what was uploaded");
}

#[test]
fn a_scrub_that_repairs() {
    let wreck = Wreck::new();
    kill_everywhere(
        "a scrub that repairs",
        (8, 32),
        &wreck.server,
        |replica, faults| end_with(faults, wreck.repair(replica)),
        |replica| wreck.check(replica),
    );
}
