//! The collector is killed at each step: what is needed stays, and the next one finishes its work.

use std::collections::BTreeSet;

use myim_tests::api_person::ApiPerson;
use myim_tests::faults::Faults;
use myim_tests::files::sha256;
use myim_tests::process::PROCESS_PATIENCE;
use myim_tests::server::Server;
use myim_tests::transfer::content;
use rusqlite::Connection;
use serde_json::json;

use super::replicas::{Replica, end_with, kill_everywhere};
use super::rig::setup;

/// What the server logs when it has let files go.
const DELETED: &str = "deleted files that nobody needs";

/// Files of a stopped server: those that messages refer to, those whose time is over although
/// messages refer to them, and those that nobody needs.
struct Household {
    server: Server,
    ann: ApiPerson,
    needed: Vec<Vec<u8>>,
    aged: Vec<Vec<u8>>,
    unused: Vec<Vec<u8>>,
}

impl Household {
    fn new() -> Self {
        let server = setup().start();
        let (ann, bob) = server.acquainted();
        let conversation = ann.direct(&bob.user_id);
        let [needed, aged, unused] = [1, 2, 3].map(|kind| upload(&server, &ann, kind));
        for bytes in needed.iter().chain(&aged) {
            send(&ann, &conversation, &sha256(bytes));
        }
        assert!(server.stop()[0].success());
        // Their time is over.
        let path = server.setup().data_dir().join("myim.db");
        let database = Connection::open(path).unwrap();
        let expire = "UPDATE t_blob SET f_expires = 1 WHERE f_expires IS NOT NULL";
        assert_eq!(database.execute(expire, []).unwrap(), unused.len());
        for bytes in &aged {
            let age = "UPDATE t_blob SET f_time = 1 WHERE f_sha256 = ?1";
            assert_eq!(database.execute(age, [sha256(bytes)]).unwrap(), 1);
        }
        Self {
            server,
            ann,
            needed,
            aged,
            unused,
        }
    }

    /// The state before or the state after, and after the next collection the state after.
    fn check(&self, replica: &Replica) {
        let before = replica.names("blobs");
        let server = replica.setup().start();
        let files = server.files().with_token(&self.ann.token);
        for bytes in &self.needed {
            let answer = files.get(&sha256(bytes));
            assert_eq!(answer.status, 200, "{answer}");
            assert!(answer.body == *bytes, "not what was uploaded");
        }
        for bytes in self.aged.iter().chain(&self.unused) {
            // The server lets them go this moment.
            let answer = files.get(&sha256(bytes));
            let is_whole = answer.status == 200 && answer.body == *bytes;
            assert!(is_whole || [404, 410].contains(&answer.status), "{answer}");
        }
        assert!(server.stop()[0].success());
        replica.files(&["collect"]).ok();
        let end = replica.files(&["scrub", "--json"]).json().pop().unwrap();
        assert_eq!(end["files"], self.needed.len(), "{end}");
        let needed: BTreeSet<String> = self.needed.iter().map(|bytes| sha256(bytes)).collect();
        assert_eq!(replica.names("blobs"), needed);
        assert_eq!(replica.known(), needed);
        assert!(before.is_superset(&needed), "{before:?}");
        assert!(replica.names("quarantine").is_empty());
    }
}

/// Uploads a few files; their content.
fn upload(server: &Server, who: &ApiPerson, kind: u64) -> Vec<Vec<u8>> {
    let files = server.files().with_token(&who.token);
    let uploaded = (0..3).map(|number| {
        let bytes = content(3000, 100 * kind + number);
        files.post(&bytes).ok(201);
        bytes
    });
    uploaded.collect()
}

fn send(who: &ApiPerson, conversation: &str, file: &str) {
    let segment = json!({"type": "file", "file": file, "name": "a", "size": 1, "mime": "a/b"});
    let message = json!({"client_id": file, "segments": [segment]});
    let path = format!("/conversations/{conversation}/messages");
    who.post(&path, &message).ok(201);
}

#[test]
fn a_collection() {
    let household = Household::new();
    kill_everywhere(
        "a collection",
        (8, 30),
        &household.server,
        |replica, faults| end_with(faults, replica.files_command(&["collect"])),
        |replica| household.check(replica),
    );
}

/// As it happens: beside everything else that a server does.
#[test]
fn a_server_that_collects_when_it_starts() {
    let household = Household::new();
    let start = |replica: &Replica, faults: &Faults| {
        let program = faults.under(replica.setup()).start_unready().remove(0);
        // It ends before, if it is killed.
        if program.logs_within(DELETED, PROCESS_PATIENCE) {
            faults.over();
            program.stop();
        }
        program.wait(PROCESS_PATIENCE)
    };
    kill_everywhere(
        "a server that collects",
        (6, 31),
        &household.server,
        start,
        |replica| household.check(replica),
    );
}
