//! Somebody removes the folders of what is being received, while the server runs: that is lost, whoever
//! sent it is told, and the next upload works.

use std::fs;
use std::io::Write as _;
use std::time::Instant;

use myim_tests::files::{Files, bytes_below, sha256, status_of};
use myim_tests::process::PROCESS_PATIENCE;
use myim_tests::server::Server;
use myim_tests::transfer::{Transfer, content};
use myim_tests::wire::Flavor;

const FILE_BYTES: usize = 200_000;

/// A server, somebody who uploads, and what is kept there.
struct Place {
    server: Server,
    files: Files,
    kept: Vec<u8>,
}

impl Place {
    fn new() -> Self {
        let server = Server::sqlite();
        let files = server.files().with_token(&server.newcomer("ann").token);
        let kept = content(FILE_BYTES, 1);
        files.post(&kept).ok(201);
        Self {
            server,
            files,
            kept,
        }
    }

    fn remove(&self, folder: &str) {
        fs::remove_dir_all(self.server.setup().filecache().join(folder)).unwrap();
    }

    #[track_caller]
    fn has(&self, bytes: &[u8]) {
        let answer = self.files.get(&sha256(bytes));
        assert_eq!(answer.status, 200, "{answer}");
        assert!(answer.body == bytes, "not what was uploaded");
    }

    /// Nothing that was kept is lost, also after a start.
    fn ends_well(mut self, uploaded: &[u8]) {
        for bytes in [self.kept.as_slice(), uploaded] {
            self.has(bytes);
        }
        self.server.stop();
        self.server.admin(&["files", "scrub"]).ok();
        self.server.again();
        for bytes in [self.kept.as_slice(), uploaded] {
            self.has(bytes);
        }
    }
}

#[test]
fn the_folder_of_unfinished_files() {
    let place = Place::new();
    let bytes = content(FILE_BYTES, 2);
    let (first, rest) = bytes.split_at(FILE_BYTES / 2);
    let length = FILE_BYTES.to_string();
    let headers = [("content-length", length.as_str())];
    let mut under_way = place.files.begin("POST", "/files", &headers);
    under_way.write_all(first).unwrap();
    let folder = place.server.setup().filecache().join("tmp");
    let deadline = Instant::now() + PROCESS_PATIENCE;
    while bytes_below(&folder) == 0 {
        assert!(Instant::now() < deadline, "nothing was received");
    }
    place.remove("tmp");
    under_way.write_all(rest).unwrap();
    // Trying again helps, and he is told so.
    assert_eq!(status_of(&mut under_way), 503);
    place
        .files
        .get(&sha256(&bytes))
        .refused(404, "no_such_file");

    place.files.post(&bytes).ok(201);
    place.server.logged("was deleted; making it anew");
    place.remove("tmp");
    let old = content(FILE_BYTES, 3);
    let name = Transfer::connect(place.server.file, Flavor::Pc).upload(&old);
    let got = Transfer::connect(place.server.file, Flavor::Pc).download(&name);
    assert!(got.unwrap() == old);
    place.ends_well(&bytes);
}

#[test]
fn the_folder_of_resumable_uploads() {
    let place = Place::new();
    let bytes = content(FILE_BYTES, 2);
    let half = FILE_BYTES / 2;
    let lost = place.files.create(FILE_BYTES);
    assert_eq!(place.files.patch(&lost, 0, &bytes[..half]).status, 204);
    place.remove("uploads");
    // Nothing of it is there, and he is told so.
    assert_eq!(place.files.head(&lost).status, 404);
    let told = place.files.patch(&lost, half, &bytes[half..]);
    assert_eq!(told.status, 404, "{told}");

    let next = place.files.create(FILE_BYTES);
    place.server.logged("was deleted; making it anew");
    assert_eq!(place.files.patch(&next, 0, &bytes).status, 204);
    place.ends_well(&bytes);
}
