//! Clients of tus that others wrote, tus-js-client and tuspy: what they use of the protocol works,
//! and they go on after everything that can interrupt them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use myim_tests::dice::Dice;
use myim_tests::fault_proxy::{Fate, FaultProxy};
use myim_tests::files::{Files, sha256};
use myim_tests::foreign::{installed, program};
use myim_tests::process::Process;
use myim_tests::server::Server;
use myim_tests::transfer::content;
use serde_json::{Value, json};

use super::stored;

/// How long an upload with all its interruptions may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    TusJs,
    Tuspy,
}
use Library::{TusJs, Tuspy};

/// Every way in which a large file goes up that can be interrupted, and the library that does it.
/// One whose length comes late is not among them: it is a stream, of which tus-js-client remembers
/// one piece, and so it may be unable to go on, whatever the server does.
fn ways() -> [(Library, Value); 5] {
    [
        (TusJs, json!({})),
        (TusJs, json!({"chunk": 200_000})),
        (TusJs, json!({"parallel": 4})),
        (Tuspy, json!({})),
        (Tuspy, json!({"chunk": 150_000, "checksum": true})),
    ]
}

/// A file on the disk that somebody uploads to a server, directly or through a proxy.
struct Task<'a> {
    /// Who asks whether all went well.
    ann: &'a Files,
    to: SocketAddr,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl<'a> Task<'a> {
    fn new(server: &Server, ann: &'a Files, length: usize, seed: u64) -> Self {
        let bytes = content(length, seed);
        let path = server.setup().directory().join(format!("{seed}.bin"));
        fs::write(&path, &bytes).unwrap();
        Self {
            ann,
            to: server.file,
            path,
            bytes,
        }
    }

    /// Sends through this proxy.
    fn through(mut self, proxy: &FaultProxy) -> Self {
        self.to = proxy.address();
        self
    }

    fn start(&self, library: Library, more: &Value) -> Process {
        let mut wanted = json!({
            "endpoint": format!("http://{}/files/", self.to),
            "token": self.ann.api.token,
            "path": self.path,
        });
        let more = more.as_object().unwrap().clone();
        wanted.as_object_mut().unwrap().extend(more);
        let mut command = match library {
            TusJs => Command::new("node"),
            Tuspy => Command::new(installed("venv/bin/python")),
        };
        match library {
            TusJs => command
                .arg(program("tus_upload.js"))
                .arg(installed("node_modules")),
            Tuspy => command.arg(program("tus_upload.py")),
        };
        Process::spawn(command.arg(wanted.to_string()))
    }

    /// Waits for the end; what was uploaded must be what was on the disk. How often it was tried
    /// again.
    fn ends_well(&self, process: &Process) -> usize {
        let status = process.wait(PATIENCE);
        let said = process.output();
        assert!(status.success(), "{}", process.story());
        let file = sha256(&self.bytes);
        let last = said.lines().last().unwrap_or_default();
        match last.split_once(' ') {
            Some(("file", told)) => assert_eq!(told, file, "{said}"),
            Some(("url", url)) => {
                let (_, place) = url.split_once("/files/").expect("an upload of ours");
                let told = self.ann.head(&format!("/files/{place}"));
                assert_eq!(told.header("myim-file"), file, "{said}");
            }
            _ => panic!("{said}"),
        }
        stored(self.ann, &file, &self.bytes);
        said.lines()
            .filter(|line| line.starts_with("again"))
            .count()
    }
}

fn ann(server: &Server) -> Files {
    server.files().with_token(&server.newcomer("ann").token)
}

/// The contents of uploads that are not finished: nothing but parts of others may be left.
fn left_open(filecache: &Path) -> usize {
    let notes = fs::read_dir(filecache.join("uploads")).unwrap();
    let notes = notes.map(|entry| entry.unwrap().path());
    let notes = notes.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    notes
        .map(|path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap())
        .filter(|note| note["part"] != "partial" && note["stored"].is_null())
        .count()
}

#[test]
fn what_tus_js_client_uses_of_the_protocol() {
    let server = Server::sqlite();
    let ann = ann(&server);
    let ways = [
        (0, json!({})),
        (1, json!({"chunk": 1000})),
        (900_000, json!({})),
        (900_000, json!({"chunk": 100_000})),
        (900_000, json!({"during_creation": true})),
        (900_000, json!({"during_creation": true, "chunk": 400_000})),
        (900_000, json!({"deferred": true, "chunk": 250_000})),
        (900_000, json!({"parallel": 3})),
        (900_001, json!({"parallel": 4, "chunk": 70_000})),
    ];
    for ((length, way), seed) in ways.iter().zip(1..) {
        let task = Task::new(&server, &ann, *length, seed);
        assert_eq!(task.ends_well(&task.start(TusJs, way)), 0, "{way}");
    }
    assert_eq!(left_open(&server.setup().filecache()), 0);
    let task = Task::new(&server, &ann, 500_000, 100);
    let ended = task.start(TusJs, &json!({"chunk": 100_000, "terminate": true}));
    assert!(ended.wait(PATIENCE).success(), "{}", ended.story());
    assert_eq!(ended.output(), "terminated\n");
    assert_eq!(left_open(&server.setup().filecache()), 0);
    ann.get(&sha256(&task.bytes)).refused(404, "no_such_file");
}

#[test]
fn what_tuspy_uses_of_the_protocol() {
    let server = Server::sqlite();
    let ann = ann(&server);
    let ways = [
        (1, json!({})),
        (900_000, json!({})),
        (900_000, json!({"chunk": 100_000})),
        (900_000, json!({"checksum": true})),
        (900_000, json!({"chunk": 250_000, "checksum": true})),
    ];
    for ((length, way), seed) in ways.iter().zip(1..) {
        let task = Task::new(&server, &ann, *length, seed);
        assert_eq!(task.ends_well(&task.start(Tuspy, way)), 0, "{way}");
    }
    assert_eq!(left_open(&server.setup().filecache()), 0);
}

/// The connections break at places that the seed says.
#[test]
fn they_go_on_when_connections_break() {
    let server = Server::sqlite();
    let ann = ann(&server);
    let mut again = 0;
    for ((library, way), seed) in ways().iter().zip(1..) {
        let proxy = FaultProxy::for_uploads(seed, server.file);
        let task = Task::new(&server, &ann, 2_500_000, seed).through(&proxy);
        again += task.ends_well(&task.start(*library, way));
    }
    assert!(again >= 5, "hardly anything broke: {again}");
}

/// A proxy that breaks nothing, and is so slow that one can interrupt what goes through it.
fn slow(to: SocketAddr) -> FaultProxy {
    let fate = Fate {
        latency: Duration::from_millis(2),
        jitter: Duration::from_millis(3),
        ..Fate::CLEAN
    };
    FaultProxy::with_fate(to, fate)
}

/// So many places within `length` bytes, in order.
fn places(seed: u64, count: usize, length: u64) -> Vec<u64> {
    let mut dice = Dice::new(seed, 11);
    let mut places: Vec<_> = (0..count)
        .map(|_| dice.from(length / 20, length - length / 20))
        .collect();
    places.sort_unstable();
    places
}

const LARGE: usize = 3_000_000;

#[test]
fn they_go_on_when_the_server_is_killed() {
    let mut server = Server::sqlite();
    let ann = ann(&server);
    for ((library, way), seed) in ways().iter().zip(20..) {
        let proxy = slow(server.file);
        let task = Task::new(&server, &ann, LARGE, seed).through(&proxy);
        let process = task.start(*library, way);
        for place in places(seed, 2, LARGE.try_into().unwrap()) {
            assert!(proxy.delivers(place, PATIENCE), "{}", process.story());
            assert!(process.is_running(), "{}", process.story());
            server.crash();
        }
        assert!(task.ends_well(&process) > 0, "{}", process.story());
    }
}

#[test]
fn they_go_on_when_they_are_killed_themselves() {
    let server = Server::sqlite();
    let ann = ann(&server);
    // Parts that go up side by side are no matter for this test: the store of tus-js-client locks its
    // file, and a part that ends while another one has the lock ends the program.
    let ways = ways();
    let alone = ways.iter().filter(|(_, way)| way["parallel"].is_null());
    for ((library, way), seed) in alone.zip(40..) {
        let proxy = slow(server.file);
        let task = Task::new(&server, &ann, LARGE, seed).through(&proxy);
        let store = task.path.with_extension("store");
        let mut way = way.clone();
        way["store"] = json!(store);
        for place in places(seed, 2, LARGE.try_into().unwrap()) {
            let process = task.start(*library, &way);
            assert!(proxy.delivers(place, PATIENCE), "{}", process.story());
            process.kill();
            // Half of it is nothing.
            let refused = ann.get(&sha256(&task.bytes));
            refused.refused(404, "no_such_file");
        }
        let process = task.start(*library, &way);
        task.ends_well(&process);
        assert!(process.output().starts_with("resumed\n"), "{way}");
    }
    let alive = server.program().is_running();
    assert!(alive, "{}", server.program().story());
}
