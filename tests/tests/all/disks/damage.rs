//! Files of the database that are cut off or damaged while no server runs. What SQLite can tell is
//! told: the database opens with all that was saved up to a place, or it is refused with a sentence
//! that names the file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use myim_tests::admin::{Told, admin};
use myim_tests::dice::Dice;
use myim_tests::proof::dump;
use tempfile::TempDir;

use super::rig::{Rig, setup};
use super::{number, places};

/// How many messages there are.
const MESSAGES: u64 = 40;
const LOG_HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
const PAGE_BYTES: usize = 4096;

/// What a killed server left: the database and its log.
struct Remains {
    rig: Rig,
    database: Vec<u8>,
    log: Vec<u8>,
    rows: Vec<String>,
}

impl Remains {
    fn new(what: &str) -> Self {
        let rig = Rig::new(what);
        (0..MESSAGES).for_each(|one| rig.say(&format!("m{one}")));
        rig.server.kill();
        let data = rig.server.setup().data_dir();
        let read = |name: &str| fs::read(data.join(name)).unwrap();
        let mut remains = Self {
            database: read("myim.db"),
            log: read("myim.db-wal"),
            rig,
            rows: Vec::new(),
        };
        let copy = remains.copy(&remains.database, &remains.log);
        remains.rows = copy.rows();
        assert!(remains.frames().len() > 40, "there is a log to damage");
        remains
    }

    fn copy(&self, database: &[u8], log: &[u8]) -> Twin {
        let folder = TempDir::with_prefix("myim-damage-").unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("myim.db"), database).unwrap();
        fs::write(data.join("myim.db-wal"), log).unwrap();
        let generation = self.rig.server.setup().data_dir();
        let name = "myim.db.generation";
        fs::copy(generation.join(name), data.join(name)).unwrap();
        Twin { folder, data }
    }

    /// Where each frame of the log begins, and whether it ends a commit.
    fn frames(&self) -> Vec<(usize, bool)> {
        let places = (LOG_HEADER_BYTES..self.log.len()).step_by(FRAME_HEADER_BYTES + PAGE_BYTES);
        let commits = |at: usize| self.log[at + 4..at + 8] != [0; 4];
        places.map(|at| (at, commits(at))).collect()
    }
}

/// The same files elsewhere.
struct Twin {
    folder: TempDir,
    data: PathBuf,
}

impl Twin {
    /// Opens it as a server does, and looks through it.
    fn verify(&self) -> Told {
        let data = self.data.to_string_lossy();
        admin(self.folder.path(), &["--data", &data, "log", "verify"])
    }

    fn rows(&self) -> Vec<String> {
        dump::of_sqlite(&self.data.join("myim.db"))
    }
}

/// The rows by their conversation, in order.
fn by_conversation(rows: &[String]) -> BTreeMap<&str, Vec<&String>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        let (conversation, _) = row.split_once('\t').unwrap();
        all.entry(conversation).or_default().push(row);
    }
    all
}

/// In each conversation there is what stood there first, and nothing else.
#[track_caller]
fn is_beginning(part: &[String], whole: &[String], what: &str) {
    let whole = by_conversation(whole);
    for (conversation, rows) in by_conversation(part) {
        assert_eq!(rows, whole[conversation][..rows.len()], "{what}");
    }
}

/// A crash leaves the log as long as the disk had got; the last bytes are the interesting ones.
#[test]
fn a_log_that_ends_anywhere() {
    let remains = Remains::new("a log that ends anywhere");
    let frame = FRAME_HEADER_BYTES + PAGE_BYTES;
    let length = remains.log.len();
    let last = length - 3 * frame;
    let mut ends: Vec<usize> = places(14, u64::try_from(3 * frame).unwrap(), 20)
        .into_iter()
        .map(|place| last + usize::try_from(place).unwrap())
        .collect();
    let second = LOG_HEADER_BYTES + frame;
    ends.extend([
        0,
        1,
        LOG_HEADER_BYTES,
        second - 1,
        second,
        length - 1,
        length,
    ]);
    ends.sort_unstable();
    let mut rows_before = 0;
    for end in &ends {
        let copy = remains.copy(&remains.database, &remains.log[..*end]);
        let told = copy.verify();
        // That it is older than when it was used last is said.
        let is_as_expected = told.err.is_empty() || told.err.contains("an older copy of itself");
        assert!(told.code == 0 && is_as_expected, "cut at {end}: {told:?}");
        let rows = copy.rows();
        is_beginning(&rows, &remains.rows, &format!("cut at {end}"));
        // Whatever is whole counts.
        assert!(rows.len() >= rows_before, "cut at {end}");
        rows_before = rows.len();
    }
    assert_eq!(rows_before, remains.rows.len());
    eprintln!("{} ends of a log of {length} bytes", ends.len());
}

/// A server starts on a log that was cut off, and goes on.
#[test]
fn a_server_on_a_log_that_was_cut_off() {
    let mut remains = Remains::new("a server on a log that was cut off");
    let path = remains.rig.server.setup().data_dir().join("myim.db-wal");
    let log = fs::OpenOptions::new().write(true).open(path).unwrap();
    let frames = remains.frames();
    let (last, _) = frames[frames.len() - 1];
    log.set_len(u64::try_from(last + 100).unwrap()).unwrap();
    remains.rig.again();
    let said = remains.rig.said();
    let lost: Vec<_> = (0..MESSAGES)
        .filter(|one| !said.contains(&format!("m{one}")))
        .collect();
    // The last commit, in which at most the last message stood.
    assert!(lost.is_empty() || lost == [MESSAGES - 1], "{lost:?}");
    remains.rig.say("afterwards");
    assert!(remains.rig.said().contains("afterwards"));
}

/// Somebody's disk forgot a bit of what it had saved: the log is refused, or it ends there because a
/// crash could have left the same.
#[test]
fn a_flipped_bit_in_the_log() {
    let remains = Remains::new("a flipped bit in the log");
    let frames = remains.frames();
    let (mut refused, mut cut) = (0, 0);
    let length = u64::try_from(remains.log.len()).unwrap();
    for place in places(14, length, 21) {
        let place = usize::try_from(place - 1).unwrap();
        let mut log = remains.log.clone();
        log[place] ^= 1 << (place % 8);
        let copy = remains.copy(&remains.database, &log);
        let told = copy.verify();
        let behind = frames
            .iter()
            .filter(|(at, is_commit)| *is_commit && at + FRAME_HEADER_BYTES + PAGE_BYTES > place);
        // Where the bit was one of the few by which commits are known, one of them may be missing.
        if behind.count() > 3 {
            told.fails(78, "myim.db-wal is damaged");
            refused += 1;
        } else if told.code == 0 {
            is_beginning(&copy.rows(), &remains.rows, &format!("bit at {place}"));
            cut += 1;
        }
    }
    eprintln!("flipped bits in the log: {refused} refused, {cut} taken for its end");
    assert!(refused > 0);
}

/// Nothing is given up to start: what the database has of the log is known to nobody.
#[test]
fn a_damaged_log_stays_as_it_is() {
    let remains = Remains::new("a damaged log that stays as it is");
    let frames = remains.frames();
    let (middle, _) = frames[frames.len() / 2];
    let mut log = remains.log.clone();
    log[middle + 500] ^= 1;
    let copy = remains.copy(&remains.database, &log);
    let started = setup().in_directory(copy.folder.path()).start_unready();
    let status = started[0].wait(myim_tests::process::PROCESS_PATIENCE);
    assert_eq!(status.code(), Some(78), "{}", started[0].story());
    let said = started[0].log();
    for words in [&format!("damaged at byte {middle},"), "restore a backup"] {
        assert!(said.contains(words), "{words:?}: {said}");
    }
    assert!(fs::read(copy.data.join("myim.db-wal")).unwrap() == log);
    assert!(fs::read(copy.data.join("myim.db")).unwrap() == remains.database);
}

/// SQLite keeps no checksum of what is in the database itself. What breaks its order is told; the
/// rest is for backups and for the disk.
#[test]
fn a_flipped_bit_in_the_database() {
    let remains = Remains::new("a flipped bit in the database");
    // All of it in one file.
    let whole = remains.copy(&remains.database, &remains.log);
    whole.verify().ok();
    let database = fs::read(whole.data.join("myim.db")).unwrap();
    let (mut unharmed, mut told, mut other) = (0, 0, 0);
    let page_bytes = u64::try_from(PAGE_BYTES).unwrap();
    let pages = u64::try_from(database.len()).unwrap() / page_bytes;
    let mut dice = Dice::new(number("MYIM_SEED", 1), 22);
    for page in places(14, pages, 23) {
        let at = dice.from(0, page_bytes - 1);
        let place = usize::try_from((page - 1) * page_bytes + at).unwrap();
        let mut database = database.clone();
        database[place] ^= 1 << dice.from(0, 7);
        let copy = remains.copy(&database, b"");
        let found = copy.verify();
        if found.code != 0 {
            // A finding, or a refusal in one sentence.
            let said = format!("{}{}", found.out, found.err);
            assert!(!said.is_empty() && !said.contains("panicked"), "{found:?}");
            told += 1;
        } else if copy.rows() == remains.rows {
            unharmed += 1;
        } else {
            other += 1;
        }
    }
    eprintln!("flipped bits in the database: {told} told, {unharmed} harmless, {other} unnoticed");
}

/// What SQLite can tell about the order of its file, `log verify` tells.
#[test]
fn an_index_that_lost_an_entry() {
    let remains = Remains::new("an index that lost an entry");
    let copy = remains.copy(&remains.database, &remains.log);
    copy.verify().ok();
    let path = copy.data.join("myim.db");
    let mut database = fs::read(&path).unwrap();
    let page: usize = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row(
            "SELECT pageno FROM dbstat WHERE name = 'i_user_username' AND pagetype = 'leaf'",
            [],
            |row| row.get::<_, u32>(0),
        )
        .map(|page| usize::try_from(page).unwrap())
        .unwrap();
    // The low byte of the number of entries of a page.
    database[(page - 1) * PAGE_BYTES + 4] -= 1;
    fs::write(&path, database).unwrap();
    let found = copy.verify();
    assert_eq!(found.code, 1, "{found:?}");
    assert!(found.out.contains("i_user_username"), "{found:?}");
}

/// The first page, without which nothing can be read.
#[test]
fn a_database_without_a_beginning() {
    let remains = Remains::new("a database without a beginning");
    let mut database = remains.database.clone();
    database[..100].fill(0xff);
    let copy = remains.copy(&database, b"");
    let before = digest(&copy.data);
    copy.verify().fails(78, "myim.db");
    let started = setup().in_directory(copy.folder.path()).start_unready();
    let status = started[0].wait(myim_tests::process::PROCESS_PATIENCE);
    assert_eq!(status.code(), Some(78), "{}", started[0].story());
    let said = started[0].log();
    assert!(
        said.contains("myim.db") && said.contains("from a backup"),
        "{said}"
    );
    assert_eq!(digest(&copy.data), before, "it was changed");
}

fn digest(data: &Path) -> String {
    myim_tests::files::sha256(&fs::read(data.join("myim.db")).unwrap())
}
