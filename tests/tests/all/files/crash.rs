//! The server is killed at every step of an upload; what was told stays true.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use myim_tests::dice::Dice;
use myim_tests::files::{Files, sha256};
use myim_tests::server::Server;
use myim_tests::transfer::{Transfer, content, md5_name};
use myim_tests::wire::Flavor;
use serde_json::{Value, json};

use super::stored;

tests! {
    sqlite: kills_in_the_middle, every_step_of_finishing, unreadable_notes, a_piece_half_checked,
        a_file_half_put_together, what_cannot_be_kept_is_not_known;
    mariadb: kills_in_the_middle, every_step_of_finishing, what_cannot_be_kept_is_not_known,
}

fn ann(server: &Server) -> Files {
    server.files().with_token(&server.newcomer("ann").token)
}

fn kills_in_the_middle(server: &mut Server) {
    let ann = ann(server);
    let bytes = content(3 << 20, 1);
    let place = ann.create(bytes.len());
    let mut dice = Dice::new(6, 1);
    let mut told = 0;
    for _ in 0..4 {
        let offset = ann.offset(&place);
        assert!(offset >= told, "{offset} after {told} was told");
        // Some of it is confirmed, some is under way.
        let piece = 1 + usize::try_from(dice.from(0, 400_000)).unwrap();
        let answer = ann.patch(&place, offset, &bytes[offset..offset + piece]);
        assert_eq!(answer.status, 204, "{answer}");
        told = offset + piece;
        let mut stream = ann.begin_patch(&place, told, bytes.len() - told);
        let more = usize::try_from(dice.from(0, 300_000)).unwrap();
        stream.write_all(&bytes[told..told + more]).unwrap();
        server.crash();
        let offset = ann.offset(&place);
        assert!(
            (told..=told + more).contains(&offset),
            "{told} {more} {offset}"
        );
    }
    let offset = ann.offset(&place);
    let answer = ann.patch(&place, offset, &bytes[offset..]);
    assert_eq!(answer.header("myim-file"), sha256(&bytes), "{answer}");
    server.crash();
    assert_eq!(ann.head(&place).header("myim-file"), sha256(&bytes));
    stored(&ann, &sha256(&bytes), &bytes);
}

/// The files of an upload on the disk.
struct OnDisk {
    content: PathBuf,
    note: PathBuf,
    blobs: PathBuf,
}

impl OnDisk {
    fn new(server: &Server, place: &str) -> Self {
        let cache = server.setup().filecache();
        let id = place.rsplit('/').next().unwrap();
        let folder = cache.join("uploads");
        Self {
            content: folder.join(id),
            note: folder.join(format!("{id}.json")),
            blobs: cache.join("blobs"),
        }
    }

    fn note(&self) -> Value {
        serde_json::from_slice(&fs::read(&self.note).unwrap()).unwrap()
    }

    fn write_note(&self, note: &Value) {
        fs::write(&self.note, note.to_string()).unwrap();
    }

    fn blob(&self, file: &str) -> PathBuf {
        self.blobs.join(&file[..2]).join(&file[2..4]).join(file)
    }
}

/// What a server leaves behind that dies after: the last write, the note that it will be kept, the
/// rename, the commit. Each time the client learns with its next question that all is well.
fn every_step_of_finishing(server: &mut Server) {
    let ann = ann(server);
    for (step, seed) in ["written", "noted", "renamed", "committed"]
        .iter()
        .zip(10..)
    {
        let bytes = content(100_000, seed);
        let file = sha256(&bytes);
        let place = ann.create(bytes.len());
        assert_eq!(ann.patch(&place, 0, &bytes[..60_000]).status, 204);
        let disk = OnDisk::new(server, &place);
        let before = disk.note();
        if *step == "committed" {
            assert_eq!(ann.patch(&place, 60_000, &bytes[60_000..]).status, 204);
        }
        server.kill();
        let mut noted = before.clone();
        noted["examined"] = json!({
            "file": file, "size": bytes.len(), "mime": "application/octet-stream",
        });
        match *step {
            "written" => fs::write(&disk.content, &bytes).unwrap(),
            "noted" => {
                fs::write(&disk.content, &bytes).unwrap();
                disk.write_note(&noted);
            }
            "renamed" => {
                disk.write_note(&noted);
                let blob = disk.blob(&file);
                fs::create_dir_all(blob.parent().unwrap()).unwrap();
                fs::write(&blob, &bytes).unwrap();
                fs::remove_file(&disk.content).unwrap();
            }
            _ => disk.write_note(&noted),
        }
        server.again();
        let told = ann.head(&place);
        assert_eq!(told.header("myim-file"), file, "{step}: {told}");
        assert_eq!(told.header("upload-offset"), "100000", "{step}");
        assert!(!disk.content.exists(), "{step}");
        stored(&ann, &file, &bytes);
        assert_eq!(ann.head(&place).header("myim-file"), file, "{step}");
    }
}

fn unreadable_notes(server: &mut Server) {
    let ann = ann(server);
    for torn in ["", "{", "null", "\0\0\0"] {
        let place = ann.create(10);
        ann.patch(&place, 0, b"12345");
        let disk = OnDisk::new(server, &place);
        fs::write(&disk.note, torn).unwrap();
        let answer = ann.head(&place);
        assert_eq!(answer.status, 404, "{torn:?}: {answer}");
        assert!(!disk.note.exists() && !disk.content.exists(), "{torn:?}");
    }
    // The content alone is missing.
    let place = ann.create(10);
    let disk = OnDisk::new(server, &place);
    fs::remove_file(&disk.content).unwrap();
    ann.patch(&place, 0, b"1").refused(404, "no_such_upload");
    assert!(!disk.note.exists());
}

fn a_piece_half_checked(server: &mut Server) {
    let ann = ann(server);
    let place = ann.create(10);
    ann.patch(&place, 0, b"12345");
    let disk = OnDisk::new(server, &place);
    server.kill();
    let mut note = disk.note();
    note["unchecked_from"] = 5.into();
    disk.write_note(&note);
    fs::write(&disk.content, b"12345???").unwrap();
    server.again();
    assert_eq!(ann.offset(&place), 5);
    assert_eq!(disk.note().get("unchecked_from"), None);
    let answer = ann.patch(&place, 5, b"67890");
    assert_eq!(answer.header("myim-file"), sha256(b"1234567890"));
}

fn a_file_half_put_together(server: &mut Server) {
    let ann = ann(server);
    let place = ann.create(10);
    ann.patch(&place, 0, b"12345");
    let disk = OnDisk::new(server, &place);
    let mut note = disk.note();
    note["part"] = json!({"final": "final;/files/uploads/x"});
    disk.write_note(&note);
    assert_eq!(ann.head(&place).status, 404);
    assert!(!disk.content.exists());
}

/// The content first, and then the database: the other way round a crash in between would leave files
/// that are known and lost.
fn what_cannot_be_kept_is_not_known(server: &mut Server) {
    let ann = ann(server);
    let filecache = server.setup().filecache();
    let (blobs, away) = (filecache.join("blobs"), filecache.join("away"));
    fs::rename(&blobs, &away).unwrap();
    fs::write(&blobs, "in the way").unwrap();
    ann.post(b"in one request").refused(500, "internal");
    let bytes = b"resumable";
    let place = ann.create(bytes.len());
    ann.patch(&place, 0, bytes).refused(500, "internal");
    let mut old = Transfer::connect(server.file, Flavor::Pc);
    let old_bytes = b"as old clients do";
    assert!(!old.upload_as(&md5_name(old_bytes), old_bytes));
    let stats = || server.admin(&["files", "stats", "--json"]).json()[0]["files"].clone();
    assert_eq!(stats(), 0);
    fs::remove_file(&blobs).unwrap();
    fs::rename(&away, &blobs).unwrap();
    for lost in [&b"in one request"[..], &old_bytes[..]] {
        ann.get(&sha256(lost)).refused(404, "no_such_file");
    }
    // This one is still there, and the next question finishes it.
    assert_eq!(ann.head(&place).header("myim-file"), sha256(bytes));
    stored(&ann, &sha256(bytes), bytes);
    assert_eq!(stats(), 1);
}
