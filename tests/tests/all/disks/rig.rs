//! A server with the faults of a test, and the history of what it is asked, for the checkers.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;

use myim_tests::api_person::{ApiPerson, said, segments};
use myim_tests::courier::{Courier, Reply};
use myim_tests::faults::{Fault, Faults};
use myim_tests::files::sha256;
use myim_tests::process::PROCESS_PATIENCE;
use myim_tests::proof::check::check;
use myim_tests::proof::dump;
use myim_tests::proof::history::Event;
use myim_tests::proof::recorder::Recorder;
use myim_tests::proof::second_check;
use myim_tests::proof::storm::unhurried;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::content;
use rustix::process::Signal;
use serde_json::{Value, json};

/// How long files are that somebody uploads here.
pub(super) const FILE_BYTES: usize = 100_000;
/// What every message begins with; its client id follows.
const WORDS: &str = "the words of ";
/// The only device that speaks.
const DEVICE: &str = "ann/laptop";

/// See the module's description.
pub(super) struct Rig {
    pub(super) faults: Faults,
    pub(super) server: Server,
    pub(super) ann: ApiPerson,
    pub(super) conversation: String,
    recorder: Recorder,
    pairs: BTreeMap<String, [String; 2]>,
    life: u64,
}

/// The usual settings on small disks: nothing is refused because there is little room.
pub(super) fn setup() -> Setup {
    unhurried(Setup::new(Kind::Whole, Db::Sqlite)).chat_flag("--ready-disk-free-bytes-min", "0")
}

impl Rig {
    pub(super) fn new(what: &str) -> Self {
        Self::on(what, setup())
    }

    pub(super) fn on(what: &str, setup: Setup) -> Self {
        let faults = Faults::new();
        let server = faults.under(setup).start();
        let (ann, bob) = server.acquainted();
        let conversation = ann.direct(&bob.user_id);
        let recorder = Recorder::new(None).unwrap();
        recorder.note(Event::Run {
            seed: super::number("MYIM_SEED", 1),
            store: "SQLite".to_owned(),
            fault: what.to_owned(),
        });
        recorder.note(Event::Device {
            device: DEVICE.to_owned(),
            user: ann.user_id.clone(),
            acknowledges: true,
        });
        let pair = [ann.user_id.clone(), bob.user_id];
        Self {
            faults,
            server,
            pairs: [(conversation.clone(), pair)].into(),
            ann,
            conversation,
            recorder,
            life: 1,
        }
    }

    /// Somebody who asks this port.
    pub(super) fn courier(&self, address: std::net::SocketAddr) -> Courier {
        Courier {
            address,
            token: self.ann.token.clone(),
        }
    }

    /// Sends a message, for the first time or again; the answer, if there is one.
    pub(super) fn try_say(&self, client_id: &str) -> Option<Reply> {
        let text = format!("{WORDS}{client_id}");
        let content = sha256(text.as_bytes());
        self.recorder.note(Event::Sending {
            device: DEVICE.to_owned(),
            conversation: self.conversation.clone(),
            client_id: Some(client_id.to_owned()),
            content: content.clone(),
        });
        let body = json!({"client_id": client_id, "segments": segments(&text)}).to_string();
        let path = format!("/api/v1/conversations/{}/messages", self.conversation);
        let headers = [("content-type", "application/json")];
        let asked =
            self.courier(self.server.chat)
                .ask(("POST", &path), &headers, body.as_bytes(), || {});
        let reply = asked.ok()?;
        if reply.status < 300 {
            self.recorder.note(Event::Acknowledged {
                device: DEVICE.to_owned(),
                conversation: self.conversation.clone(),
                client_id: Some(client_id.to_owned()),
                content,
                seq: json_of(&reply)["seq"].as_u64(),
            });
        }
        Some(reply)
    }

    /// The client ids of what was said, as somebody reads it who asks for the history.
    pub(super) fn said(&self) -> BTreeSet<String> {
        let history = self.ann.history(&self.conversation);
        let messages = history.iter().filter(|one| one["segments"].is_array());
        let mut ids = BTreeSet::new();
        for text in messages.map(said) {
            let id = text.strip_prefix(WORDS);
            let id = id.unwrap_or_else(|| panic!("nobody said {text:?}"));
            assert!(ids.insert(id.to_owned()), "{id} stands there twice");
        }
        ids
    }

    /// Sends a message, for the first time or again, and it is stored.
    #[track_caller]
    pub(super) fn say(&self, client_id: &str) {
        self.was_there(client_id);
    }

    /// The same; whether it was stored before.
    #[track_caller]
    pub(super) fn was_there(&self, client_id: &str) -> bool {
        let reply = self.try_say(client_id).expect("the server answers");
        assert!([200, 201].contains(&reply.status), "{}", shown(&reply));
        reply.status == 200
    }

    /// Sends a message and is told that it is not stored now. Nobody may be told that nothing was
    /// changed if that is not sure.
    #[track_caller]
    pub(super) fn say_in_vain(&self, client_id: &str) -> Value {
        let reply = self.try_say(client_id).expect("the server answers");
        assert_eq!(reply.status, 503, "{}", shown(&reply));
        assert!(reply.header("retry-after").is_some(), "{}", shown(&reply));
        let problem = json_of(&reply);
        assert_eq!(problem["code"], "storage_unavailable", "{problem}");
        problem
    }

    /// Uploads in one request; the answer, if there is one.
    pub(super) fn try_upload(&self, seed: u64) -> Option<Reply> {
        let bytes = content(FILE_BYTES, seed);
        let courier = self.courier(self.server.file);
        let reply = courier.ask(("POST", "/files"), &[], &bytes, || {}).ok()?;
        if reply.status < 300 {
            self.has_uploaded(&bytes);
        }
        Some(reply)
    }

    /// Uploads in one request, for the first time or again, and it is kept.
    #[track_caller]
    pub(super) fn upload(&self, seed: u64) {
        let reply = self.try_upload(seed).expect("the server answers");
        assert!([200, 201].contains(&reply.status), "{}", shown(&reply));
        self.is_whole(seed);
    }

    /// The server said that it keeps this.
    pub(super) fn has_uploaded(&self, bytes: &[u8]) {
        self.recorder.note(Event::Uploaded {
            file: sha256(bytes),
            bytes: u64::try_from(bytes.len()).unwrap(),
        });
    }

    /// Whoever asks for the file gets what was uploaded.
    #[track_caller]
    pub(super) fn is_whole(&self, seed: u64) {
        let bytes = content(FILE_BYTES, seed);
        let files = self.server.files().with_token(&self.ann.token);
        let answer = files.get(&sha256(&bytes));
        assert_eq!(answer.status, 200, "{answer}");
        assert!(answer.body == bytes, "not what was uploaded");
    }

    /// Whether it answers at all.
    fn is_there(&self) -> bool {
        let courier = self.courier(self.server.chat);
        let asked = courier.ask(("GET", "/api/v1/me"), &[], b"", || {});
        asked.is_ok()
    }

    /// Does something to a server that dies at this step. True if it did; then it runs again, and
    /// its database and its files are whole.
    pub(super) fn strike(&mut self, step: u64, act: impl FnOnce(&mut Self)) -> bool {
        self.faults.order(Fault::Kill(step));
        act(self);
        self.faults.over();
        if self.is_there() {
            return false;
        }
        self.was_killed();
        self.again();
        true
    }

    /// It ended by the step at which it had to.
    pub(super) fn was_killed(&self) {
        let status = self.server.program().wait(PROCESS_PATIENCE);
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{status}");
        self.has_crashed("killed at a step");
    }

    pub(super) fn has_crashed(&self, how: &str) {
        let how = how.to_owned();
        self.recorder.note(Event::Crashed { how });
        for file in dump::files(&self.server.setup().filecache()).unwrap() {
            let Event::Kept { file, sha256, .. } = file else {
                continue;
            };
            assert_eq!(file, sha256, "a file that is not what its name says");
        }
    }

    /// It starts, and finds nothing wrong.
    pub(super) fn again(&mut self) {
        self.server.again();
        self.life += 1;
        self.recorder.note(Event::Restarted { life: self.life });
        self.server.admin(&["log", "verify"]).ok();
    }

    /// All promises are kept. With the server ends what it was asked.
    pub(super) fn judge(self) {
        if self.server.program().is_running() {
            let ended = self.server.stop();
            assert!(ended[0].success(), "{}", self.server.program().story());
        }
        let data = self.server.setup().data_dir();
        for event in dump::events(&dump::of_sqlite(&data.join("myim.db")), &self.pairs) {
            self.recorder.note(event);
        }
        for event in dump::files(&self.server.setup().filecache()).unwrap() {
            self.recorder.note(event);
        }
        let history = self.recorder.finish().unwrap();
        let found: Vec<_> = check(&history).iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{}", found.join("\n"));
        assert_eq!(second_check::check(&history).unwrap(), []);
    }
}

/// The body, or nothing if it is no JSON.
pub(super) fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
}

/// For the message of a failure.
pub(super) fn shown(reply: &Reply) -> String {
    format!("{}: {}", reply.status, String::from_utf8_lossy(&reply.body))
}
