//! A backup of a server under load, and the restored server: everything that was acknowledged before
//! the backup began is there, and of what came later nothing is there in part.
//!
//! The commands are those of `docs/operations.md`, word for word.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;

use myim_tests::api::Api;
use myim_tests::api_person::{ApiPerson, said, seq};
use myim_tests::files::{Files, sha256};
use myim_tests::machine::{Need, has_or_skip};
use myim_tests::peer::PATIENCE;
use myim_tests::proof::dump;
use myim_tests::proof::history::Event;
use myim_tests::proof::storm::unhurried;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::content;
use serde_json::{Value, json};
use tempfile::TempDir;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");
/// Senders in one conversation, beside one who uploads.
const SENDERS: [&str; 3] = ["ann", "bob", "dora"];
/// In the order of the guide, without what is of MySQL.
const RESTORING: [&str; 5] = [
    "mkdir -p -m 700 data",
    "cp copy.db data",
    "rm -f data/myim.db-wal",
    "cp -a copy.files",
    "sqlite3 data/myim.db \"DELETE FROM t_meta",
];
/// So many acknowledgments come before the backup, and as many behind it.
const ACKNOWLEDGED: usize = 60;
const FILE_BYTES: usize = 200_000;

/// The only command in the guide with these words.
fn told(words: &str) -> String {
    let guide = fs::read_to_string(GUIDE).unwrap();
    let lines: Vec<_> = guide.lines().filter(|line| line.contains(words)).collect();
    let [line] = lines[..] else {
        panic!("{} lines with {words:?} in operations.md", lines.len());
    };
    line.to_owned()
}

#[track_caller]
fn run(directory: &Path, commands: &[String]) {
    let script = commands.join("\n");
    let mut shell = Command::new("sh");
    let shell = shell
        .args(["-e", "-u", "-c", &script])
        .current_dir(directory);
    let ended = shell.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.success() && said.is_empty(),
        "{script}: {said}"
    );
}

/// What was acknowledged: messages with their places, and files.
#[derive(Clone, Debug, Default)]
struct Acknowledged {
    messages: BTreeMap<String, u64>,
    files: BTreeMap<String, u64>,
}

/// Who writes and uploads until it is enough, each one thing after the other.
struct Load {
    people: Vec<ApiPerson>,
    group: String,
    acknowledged: Mutex<Acknowledged>,
    is_over: AtomicBool,
}

impl Load {
    fn new(server: &Server) -> Self {
        let people: Vec<_> = SENDERS.iter().map(|name| server.newcomer(name)).collect();
        let [ann, others @ ..] = &people[..] else {
            unreachable!("there are several");
        };
        for other in others {
            ann.befriend(other);
        }
        let members: Vec<_> = others.iter().collect();
        let group = ann.of_group(&ann.create_group_with_members("choir", &members));
        Self {
            people,
            group,
            acknowledged: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    fn acknowledged(&self) -> Acknowledged {
        self.acknowledged.lock().unwrap().clone()
    }

    fn sends(&self, person: &ApiPerson, passed: &mpsc::Sender<()>) {
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let id = format!("{}-{number:05}", person.name);
            let place = person.say(&self.group, &id, &id);
            let mut acknowledged = self.acknowledged.lock().unwrap();
            acknowledged.messages.insert(id, place);
            passed.send(()).unwrap();
        }
    }

    fn uploads(&self, files: &Files, passed: &mpsc::Sender<()>) {
        for seed in 1.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let bytes = content(FILE_BYTES, seed);
            files.post(&bytes).ok(201);
            let mut acknowledged = self.acknowledged.lock().unwrap();
            acknowledged.files.insert(sha256(&bytes), seed);
            passed.send(()).unwrap();
        }
    }

    /// Does something in the middle of it; what was acknowledged before.
    fn around(&self, server: &Server, act: impl FnOnce()) -> Acknowledged {
        let (passed, passing) = mpsc::channel();
        let wait = || {
            for _ in 0..ACKNOWLEDGED {
                passing.recv_timeout(PATIENCE).expect("they go on");
            }
        };
        thread::scope(|scope| {
            for person in &self.people {
                let passed = passed.clone();
                scope.spawn(move || self.sends(person, &passed));
            }
            let files = server.files().with_token(&self.people[0].token);
            let for_files = passed.clone();
            scope.spawn(move || self.uploads(&files, &for_files));
            wait();
            let before = self.acknowledged();
            act();
            while passing.try_recv().is_ok() {}
            wait();
            self.is_over.store(true, Ordering::Relaxed);
            before
        })
    }
}

/// The same person, at another server.
fn at(server: &Server, person: &ApiPerson) -> ApiPerson {
    ApiPerson {
        api: Api::new(server.chat).with_token(&person.token),
        ..person.clone()
    }
}

/// Places without a gap, each sender's messages in order and without a gap, nothing twice, and what
/// was acknowledged before the backup where it was. The messages, by their client ids.
fn judge_messages(history: &[Value], before: &Acknowledged) -> BTreeMap<String, u64> {
    let mut there = BTreeMap::new();
    let mut next = BTreeMap::<String, u64>::new();
    for (entry, place) in history.iter().zip(1..) {
        assert_eq!(seq(entry), place, "a gap");
        if !entry["notice"].is_null() {
            continue;
        }
        let id = said(entry);
        let (name, number) = id.split_once('-').unwrap();
        let next = next.entry(name.to_owned()).or_default();
        assert_eq!(number.parse::<u64>().unwrap(), *next, "{name}'s order");
        *next += 1;
        assert_eq!(there.insert(id.clone(), place), None, "{id} twice");
    }
    for (id, place) in &before.messages {
        assert_eq!(there.get(id), Some(place), "{id} was acknowledged");
    }
    there
}

/// What is on the disk is whole, and what was acknowledged before the backup can be read.
fn judge_files(server: &Server, person: &ApiPerson, before: &Acknowledged) {
    for event in dump::files(&server.setup().filecache()).unwrap() {
        if let Event::Kept { file, sha256, .. } = event {
            assert_eq!(file, sha256, "a file that is not what its name says");
        }
    }
    let files = server.files().with_token(&person.token);
    for (file, seed) in &before.files {
        let answer = files.get(file);
        assert_eq!(answer.status, 200, "{answer}");
        assert!(answer.body == content(FILE_BYTES, *seed), "{file}");
    }
}

#[test]
fn a_backup_under_load_is_restored() {
    if !has_or_skip(Need::Sqlite3) {
        return;
    }
    let setup = || unhurried(Setup::new(Kind::Whole, Db::Sqlite));
    let server = setup().start();
    let load = Load::new(&server);
    let epoch = load.people[1].connect().hello["epoch"].clone();
    let fresh = TempDir::with_prefix("myim-restored-").unwrap();
    let before = load.around(&server, || {
        let place = server.setup().directory();
        run(place, &[told("VACUUM INTO"), told("mkdir copy.files")]);
        for copy in ["copy.db", "copy.files"] {
            fs::rename(place.join(copy), fresh.path().join(copy)).unwrap();
        }
    });
    drop(server);
    let all = load.acknowledged();
    assert!(!before.files.is_empty() && before.messages.len() < all.messages.len());
    run(fresh.path(), &RESTORING.map(told));
    let server = setup().in_directory(fresh.path()).start();
    server.admin(&["log", "verify"]).ok();
    let [ann, bob, _] = &load.people[..] else {
        unreachable!("there are three");
    };
    let (ann, bob) = (at(&server, ann), at(&server, bob));
    let history = ann.history(&load.group);
    let there = judge_messages(&history, &before);
    judge_files(&server, &ann, &before);

    // Clients hear that it is another history.
    let hello = bob.connect_with(json!({"epoch": epoch})).hello.clone();
    assert_eq!(hello["resync"], true, "{hello}");
    assert_ne!(hello["epoch"], epoch);
    let again = json!({"epoch": hello["epoch"]});
    let hello = bob.connect_with(again).hello.clone();
    assert_ne!(hello["resync"], true, "{hello}");

    // What was acknowledged and is not in the copy is stored once more, and the rest is not.
    let heads = u64::try_from(history.len()).unwrap();
    let mut lost = 0;
    for (id, place) in all.messages.iter().filter(|(id, _)| id.starts_with("ann")) {
        let answer = ann.try_say(&load.group, id, id);
        match there.get(id) {
            Some(_) => assert_eq!(seq(&answer.ok(200)), *place, "{id}"),
            None => {
                lost += 1;
                assert_eq!(seq(&answer.ok(201)), heads + lost, "{id}");
            }
        }
    }
    assert!(lost > 0, "the copy was made behind the end");
    // The database names no file that is not there.
    assert!(server.stop()[0].success());
    let scrubbed = server.admin(&["files", "scrub", "--json"]);
    let last = scrubbed.out.lines().last().unwrap();
    let end: Value = serde_json::from_str(last).unwrap();
    assert_eq!(
        (&end["missing"], &end["damaged"]),
        (&json!(0), &json!(0)),
        "{scrubbed:?}"
    );
}
