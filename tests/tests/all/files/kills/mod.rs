//! Many uploads at once, by every protocol, while the server is killed at random moments and started
//! again: what was answered is there, byte for byte; what was not finished is not visible; and
//! nothing lies around.
//!
//! `MYIM_KILLS=200` kills more often, `MYIM_SEED=7` plays another seed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use myim_tests::dice::Dice;
use myim_tests::files::{Files, sha256};
use myim_tests::peer::PATIENCE;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::{Transfer, content, md5_name};
use myim_tests::wire::Flavor;
use serde_json::Value;

mod ledger;
mod uploader;

use ledger::{Lives, Told};
use uploader::Uploader;

/// How often the server is killed if nobody says otherwise.
const KILLS: u64 = 8;
const SEED: u64 = 1;
/// Who uploads at the same time: two by each protocol.
const UPLOADERS: u64 = 6;
/// So many slices and answers pass, at the most, between a start and the next kill.
const EVENTS_MAX: u64 = 400;
/// Uploaders do not wait for whoever counts; what is beyond is not counted.
const EVENTS_QUEUED: usize = 1024;

fn number(name: &str, usual: u64) -> u64 {
    let Ok(text) = std::env::var(name) else {
        return usual;
    };
    let number = text.parse();
    number.unwrap_or_else(|_| panic!("{name}={text} is no number"))
}

#[test]
fn whatever_was_answered_is_there_after_kills() {
    play(Db::Sqlite, number("MYIM_KILLS", KILLS));
}

#[test]
fn whatever_was_answered_is_there_after_kills_on_mariadb() {
    play(Db::MariaDb, number("MYIM_KILLS", KILLS / 2));
}

fn play(db: Db, kills: u64) {
    let seed = number("MYIM_SEED", SEED);
    eprintln!("MYIM_SEED={seed} MYIM_KILLS={kills}");
    let mut server = Setup::new(Kind::Whole, db)
        .open()
        .transfer_flag("--upload-day-bytes-max", "1TiB")
        .start();
    if db == Db::MariaDb {
        // It takes connections before its database answers.
        server.logged("database open");
    }
    let ann = server.newcomer("ann");
    let files = server.files().with_token(&ann.token);
    let lives = Lives::default();
    let (events, passed) = mpsc::sync_channel(EVENTS_QUEUED);
    let told = thread::scope(|scope| {
        let uploaders: Vec<_> = (0..UPLOADERS)
            .map(|number| {
                let uploader = Uploader::new(&files, &lives, events.clone(), seed, number);
                scope.spawn(move || uploader.run())
            })
            .collect();
        drop(events);
        let mut dice = Dice::new(seed, 0);
        for _ in 0..kills {
            for _ in 0..dice.from(1, EVENTS_MAX) {
                passed.recv_timeout(PATIENCE).expect("uploads go on");
            }
            server.kill();
            whole_and_there(&server, &lives.answered());
            server.again();
            if db == Db::MariaDb {
                server.logged("database open");
            }
            // What passed before the kill.
            while passed.try_recv().is_ok() {}
            lives.begin_another();
        }
        lives.close();
        let uploaders = uploaders.into_iter().map(thread::ScopedJoinHandle::join);
        uploaders.fold(Told::default(), |all, one| {
            all.with(one.expect("it told why"))
        })
    });
    told.is_enough(kills);
    // What the last one to die had in hand is cleared at a start.
    server.crash();
    if db == Db::MariaDb {
        server.logged("database open");
    }
    everything_is_there(&server, &files, &told);
    nothing_half_is_visible(&server, &files, &told);
    nothing_lies_around(&server, &files, &told);
    if db == Db::Sqlite {
        // The command works on the embedded database only.
        server.stop();
        server.admin(&["files", "scrub"]).ok();
    }
}

/// The stored files, by what they are called.
fn blobs(filecache: &Path) -> Vec<(String, PathBuf)> {
    let inside = |folder: PathBuf| {
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path())
    };
    let leaves = inside(filecache.join("blobs")).flat_map(inside);
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    leaves
        .flat_map(inside)
        .map(|path| (name(&path), path))
        .collect()
}

/// While the server is dead: every stored file is what its name says, and what was answered is
/// among them.
fn whole_and_there(server: &Server, answered: &BTreeSet<String>) {
    let blobs = blobs(&server.setup().filecache());
    for (name, path) in &blobs {
        assert_eq!(sha256(&fs::read(path).unwrap()), *name, "a torn file");
    }
    let there: BTreeSet<_> = blobs.into_iter().map(|(name, _)| name).collect();
    let lost: Vec<_> = answered.difference(&there).collect();
    assert!(lost.is_empty(), "answered, and not on the disk: {lost:?}");
}

/// By HTTP under the SHA-256, and for old clients under the MD5.
fn everything_is_there(server: &Server, files: &Files, told: &Told) {
    let mut old = Transfer::connect(server.file, Flavor::Pc);
    for (file, made) in &told.stored {
        let bytes = content(made.length, made.seed);
        let answer = files.get(file);
        assert_eq!(answer.status, 200, "{answer}");
        assert!(answer.body == bytes, "{file} is not what was uploaded");
        let name = md5_name(&bytes);
        assert_eq!(old.download(&name).as_ref(), Some(&bytes), "{file}");
    }
}

fn nothing_half_is_visible(server: &Server, files: &Files, told: &Told) {
    for file in &told.given_up {
        files.get(file).refused(404, "no_such_file");
    }
    let there = blobs(&server.setup().filecache());
    let there: BTreeSet<_> = there.into_iter().map(|(name, _)| name).collect();
    let stored: BTreeSet<_> = told.stored.keys().cloned().collect();
    assert_eq!(there, stored, "every upload was finished or given up");
    let bytes: usize = told.stored.values().map(|made| made.length).sum();
    let kept = server.admin(&["files", "stats", "--json"]).json();
    assert_eq!(kept[0]["files"], told.stored.len(), "{kept:?}");
    assert_eq!(kept[0]["bytes"], bytes, "{kept:?}");
}

/// Beside the stored files there are notes of uploads that are finished, and uploads that were given
/// up or of which the client never heard; these expire.
fn nothing_lies_around(server: &Server, files: &Files, told: &Told) {
    let filecache = server.setup().filecache();
    for entry in fs::read_dir(filecache.join("tmp")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let left: Vec<_> = fs::read_dir(&path)
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            assert_eq!(left, ["lock"], "{}", path.display());
        }
    }
    let mut nobodys = 0;
    let (mut contents, mut open) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(filecache.join("uploads")).unwrap() {
        let path = entry.unwrap().path();
        let id = path.file_stem().unwrap().to_string_lossy().into_owned();
        match path.extension().and_then(|ending| ending.to_str()) {
            None => drop(contents.insert(id)),
            // It was killed while it wrote the note.
            Some("new") => {}
            Some("json") => {
                let note: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
                let is_mine = told.unfinished.contains_key(&id) || told.parts.contains(&id);
                if note["stored"].is_null() {
                    nobodys += usize::from(!is_mine);
                    open.insert(id);
                }
            }
            Some(other) => panic!("{other} among the uploads"),
        }
    }
    assert!(
        nobodys <= told.unheard,
        "{nobodys} uploads of which nobody knows; {} were begun and never answered",
        told.unheard
    );
    let stray: Vec<_> = contents.difference(&open).collect();
    // An upload whose note was not written yet when the server died was never answered either.
    assert!(nobodys + stray.len() <= told.unheard, "{stray:?}");
    for (id, told) in &told.unfinished {
        let place = format!("/files/uploads/{id}");
        assert!(files.offset(&place) >= *told, "{place} lost what was told");
    }
}
