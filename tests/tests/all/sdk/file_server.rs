//! A file server that is a program of its own is killed while attachments are on their way: the chat
//! goes on, an upload goes on where it was, and no message names a file that is not there.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use client::transfer::{Progress, Shelf, Upload};
use client::{Api, Error, Server as Address};
use myim_tests::api::Answer;
use myim_tests::api_person::{ApiPerson, Device};
use myim_tests::files::sha256;
use myim_tests::peer::PATIENCE;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::content;
use serde_json::json;
use tempfile::TempDir;

use super::files::run;

const FILE_BYTES: usize = 3_000_000;
/// How many hundredths of an attachment have gone when the file server is killed. It does not get
/// the last of it before.
const KILLED_AT: [u64; 3] = [0, 40, 80];

/// Two people, on the way to each other.
struct Pair {
    ann: ApiPerson,
    conversation: String,
    speaking: Device,
    hearing: Device,
}

impl Pair {
    fn say(&mut self, words: &str) {
        self.speaking.say(&self.conversation, words);
        self.hearing.hears(&self.conversation, &[words]);
    }

    /// A message with this file.
    fn attach(&self, file: &str) -> Answer {
        let path = format!("/conversations/{}/messages", self.conversation);
        let segment = json!({
            "type": "file", "file": file, "name": "film.mp4", "size": 1, "mime": "video/mp4",
        });
        let body = json!({"client_id": &file[..16], "segments": [segment]});
        self.ann.post(&path, &body)
    }
}

/// What somebody who uploads tells, and waits for.
struct Cues {
    is_there: SyncSender<()>,
    goes_on: Receiver<()>,
    waits: SyncSender<()>,
}

/// Uploads, and stops for a moment at `at` hundredths.
fn upload(api: &Api, path: &Path, at: u64, cues: &Cues) -> Result<String, Error> {
    let mut has_stopped = false;
    let uploaded = run(
        api.upload(&Upload::new(path, Shelf::Files), |step| match step {
            Progress::Moved { done, total } if !has_stopped && done * 100 >= at * total => {
                has_stopped = true;
                cues.is_there.send(()).unwrap();
                cues.goes_on.recv_timeout(PATIENCE).unwrap();
            }
            // Nobody waits to hear it twice.
            Progress::Waiting { .. } => drop(cues.waits.try_send(())),
            Progress::Moved { .. } => {}
        }),
    );
    uploaded.map(|uploaded| uploaded.file.to_string())
}

#[test]
fn a_file_server_that_dies_hinders_only_uploads() {
    let setup = Setup::new(Kind::Separate, Db::MariaDb).wait_for_database();
    let mut server = setup.start();
    let (ann, bob) = server.acquainted();
    let address: Address = format!("http://{}", server.chat).parse().unwrap();
    let api = Api::new(address).with_token(&ann.token);
    let mut pair = Pair {
        conversation: ann.direct(&bob.user_id),
        speaking: ann.connect(),
        hearing: bob.connect(),
        ann,
    };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("film.mp4");
    for (seed, at) in (1..).zip(KILLED_AT) {
        let bytes = content(FILE_BYTES, seed);
        fs::write(&path, &bytes).unwrap();
        let file = sha256(&bytes);
        killed_at(&mut server, &mut pair, (&api, &path, &file), at);
        pair.attach(&file).ok(201);
        let heard = pair.hearing.message();
        assert_eq!(heard["segments"][0]["file"], file, "{heard}");
    }
    never_begins(&server, &mut pair, (&api, &path));
    server.file_program_again();
    all_named_are_there(&server, &pair, &bob);
}

fn killed_at(
    server: &mut Server,
    pair: &mut Pair,
    (api, path, file): (&Api, &Path, &str),
    at: u64,
) {
    let (is_there, comes) = sync_channel(1);
    let (go_on, goes_on) = sync_channel(1);
    let (waits, waited) = sync_channel(1);
    let cues = Cues {
        is_there,
        goes_on,
        waits,
    };
    thread::scope(|scope| {
        let uploading = scope.spawn(move || upload(api, path, at, &cues));
        comes.recv_timeout(PATIENCE).unwrap();
        server.file_program().kill();
        go_on.send(()).unwrap();
        waited.recv_timeout(PATIENCE).unwrap();
        pair.say("can you hear me?");
        pair.attach(file).refused(422, "no_such_file");
        server.file_program_again();
        let uploaded = uploading.join().unwrap();
        assert_eq!(uploaded.unwrap(), file, "killed at {at}");
    });
}

/// Whoever only begins when it is dead is told so.
fn never_begins(server: &Server, pair: &mut Pair, (api, path): (&Api, &Path)) {
    server.file_program().kill();
    fs::write(path, content(FILE_BYTES, 0)).unwrap();
    let uploaded = run(api.upload(&Upload::new(path, Shelf::Files), |_| {}));
    let told = uploaded.unwrap_err();
    assert!(matches!(told, Error::Unreachable { .. }), "{told}");
    pair.say("it is gone");
}

fn all_named_are_there(server: &Server, pair: &Pair, reader: &ApiPerson) {
    let files = server.files().with_token(&reader.token);
    let history = pair.ann.history(&pair.conversation);
    let named = history
        .iter()
        .filter_map(|message| message["segments"][0]["file"].as_str());
    let named: Vec<_> = named.collect();
    assert_eq!(named.len(), KILLED_AT.len());
    for file in named {
        let answer = files.get(file);
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(sha256(&answer.body), file);
    }
}
