//! The chat captures: scripted, from the Android client's own classes, from the Windows client's.

use std::collections::HashMap;

use myim_tests::peer::Peer;
use myim_tests::person::{code, login_data, register};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::wire::{Fields, Flavor, Packet};
use serde_json::{Value, json};

use super::captured::{Direction, Line, lines, same, same_data};

/// What the recorders did without recording it.
#[derive(Clone, Copy, Debug)]
enum Unrecorded {
    Close(&'static str),
    Rename(&'static str, &'static str),
    /// Label, user, password, flavor.
    Login(&'static str, &'static str, &'static str, Flavor),
    /// Applies for the friendship of this user.
    Apply(&'static str, i32),
    /// Takes another profile: nickname, face, gender, birthday, address, telephone, mail.
    Profile(&'static str, [&'static str; 7]),
    /// Calls this friend something.
    Mark(&'static str, i32, &'static str),
    /// Waits until this one is told something about somebody.
    Notice(&'static str),
    /// Waits until this one is told of an application.
    Told(&'static str),
    /// Everybody reads what came of it.
    Read,
    /// Nothing happens for a moment: the recorders waited after every step, and a server that
    /// sees a quiet line knows that everything was received.
    Pause,
}

use Unrecorded::{Apply, Close, Login, Mark, Notice, Pause, Profile, Read, Rename, Told};

/// What happened before which step.
const UNRECORDED: &[(&str, u32, &[Unrecorded])] = &[
    ("logout-notifies-friends", 1, &[Close("b")]),
    ("offline-delivered-once", 1, &[Pause, Close("b")]),
    ("kick-same-client-type", 1, &[Pause]),
    ("android-kick-same-client-type", 1, &[Pause]),
    ("android-kicked-session-gets-no-chat", 1, &[Pause]),
    ("second-client-type", 1, &[Close("b"), Rename("b2", "b")]),
    ("second-client-type", 8, &[Close("b-pc")]),
    ("relogin-same-connection", 7, &[Close("b")]),
    (
        "android-add-friend-accept",
        1,
        &[
            Login("chat-8", "jband3", "pw-jband3", Flavor::Android),
            Apply("chat-7", 14),
            Told("chat-8"),
            Read,
        ],
    ),
    (
        "android-modify-password-wrong-old",
        1,
        &[
            Profile(
                "chat-8",
                ["new jband3", "5", "1", "19991231", "addr", "123", "m@x.y"],
            ),
            Read,
        ],
    ),
    (
        "android-offline-chat-delivery",
        1,
        &[Close("chat-8"), Notice("chat-7")],
    ),
    (
        "android-offline-friend-apply",
        1,
        &[
            Close("chat-12"),
            Notice("chat-7"),
            Login("chat-13", "jband3", "pw2-jband3", Flavor::Android),
            Notice("chat-7"),
            Read,
        ],
    ),
    (
        "win-modify-password",
        1,
        &[
            Profile("chat-w7", ["Renamed改", "7", "0", "19900202", "", "", ""]),
            Notice("chat-w6"),
            Read,
        ],
    ),
    ("win-move-team", 1, &[Mark("chat-w6", 116, "Mark备")]),
    (
        "win-delete-friend",
        1,
        &[
            Close("chat-w8"),
            Notice("chat-w6"),
            Login("chat-w9", "wb4e2c5db9", "p-wb4e2c5db9", Flavor::Pc),
            Notice("chat-w6"),
            Read,
        ],
    ),
];

/// How our answer differs from the recorded one.
#[derive(Clone, Copy, Debug)]
enum Ours {
    /// The same command says this instead, or is said where the original closed.
    Says(&'static str),
    /// Nothing is sent.
    Nothing,
    /// As recorded, and this connection receives a copy.
    AlsoTo(&'static str),
    /// The connection may be closed already; if not, this is said.
    ClosedOrSays(&'static str),
}

const NOT_LOGGED_IN: &str = r#"{"code": 2, "msg": "not login, please login first!"}"#;

/// Where we mean to answer differently, and why.
const DIFFERENT: &[(&str, u32, Ours, &str)] = &[
    (
        "wrong-password-then-command",
        2,
        Ours::Says(NOT_LOGGED_IN),
        "a failed login logs nobody in",
    ),
    (
        "wrong-password-then-command",
        4,
        Ours::Says(NOT_LOGGED_IN),
        "a failed login logs nobody in",
    ),
    (
        "unsupported-command",
        4,
        Ours::Says(NOT_LOGGED_IN),
        "a failed login logs nobody in, so an unknown command is answered and not punished",
    ),
    (
        "status-change",
        5,
        Ours::Says(r#"{"type": 2, "onlinestatus": 0}"#),
        "a status of 0 means off line",
    ),
    (
        "kick-same-client-type",
        6,
        Ours::ClosedOrSays(""),
        "a kicked session is closed before long",
    ),
    (
        "kick-same-client-type",
        8,
        Ours::ClosedOrSays(NOT_LOGGED_IN),
        "a kicked session is nobody",
    ),
    (
        "chat-to-self",
        2,
        Ours::Nothing,
        "what one tells oneself is for one's other devices",
    ),
    (
        "win-multi-chat",
        3,
        Ours::Nothing,
        "what one tells oneself is for one's other devices",
    ),
    (
        "second-client-type",
        7,
        Ours::AlsoTo("b-pc"),
        "every device of a user receives his messages",
    ),
    (
        "second-client-type",
        8,
        Ours::Says(r#"{"type": 1, "onlinestatus": 3, "clienttype": 2}"#),
        "with another device on line the user is still there",
    ),
    (
        "relogin-same-connection",
        2,
        Ours::Nothing,
        "logging in again does not kick oneself",
    ),
];

#[derive(Debug)]
struct Replay {
    server: Server,
    peers: HashMap<String, Peer>,
    scenario: String,
}

impl Replay {
    fn new(server: Server) -> Self {
        Self {
            server,
            peers: HashMap::new(),
            scenario: String::new(),
        }
    }

    fn run(&mut self, lines: &[Line]) {
        for line in lines {
            eprintln!("{} {:?} {}", line.place(), line.dir, line.conn);
            if line.scenario != self.scenario {
                self.settle();
                self.scenario.clone_from(&line.scenario);
                // This one is always a new, throw-away connection.
                self.peers.remove("x");
            }
            for (_, _, done) in UNRECORDED
                .iter()
                .filter(|(name, step, _)| line.is_at(name, *step))
            {
                done.iter().for_each(|action| self.unrecorded(*action));
            }
            match line.dir {
                Direction::C2s => self.client(line),
                Direction::S2c => self.server(line),
            }
        }
        self.settle();
    }

    /// Nothing may be left unread at the end of a scenario.
    fn settle(&mut self) {
        if self.scenario == "win-chat-burst-300" {
            // The capture was cut in the middle of the burst.
            while !self
                .peer("chat-w7")
                .next_packet()
                .text()
                .contains("\"n35\"")
            {}
        }
        for (label, peer) in &mut self.peers {
            let left = peer.barrier();
            assert!(
                left.is_empty(),
                "{}: not recorded, but sent to {label}: {left:?}",
                self.scenario
            );
        }
    }

    fn client(&mut self, line: &Line) {
        if line.closed() {
            self.close(&line.conn);
            return;
        }
        let address = self.server.chat;
        let peer = self
            .peers
            .entry(line.conn.clone())
            .or_insert_with(|| Peer::connect(address, Flavor::Pc));
        let sent = peer.try_send_raw(&line.bytes());
        let kicked = line.scenario == "kick-same-client-type";
        assert!(sent || kicked, "{}: the server hung up", line.place());
    }

    fn server(&mut self, line: &Line) {
        let place = line.place();
        if line.closed() {
            let different = difference(line);
            match (self.peers.remove(&line.conn), different) {
                (Some(mut peer), Some(Ours::Says(instead))) => {
                    let packet = peer.next_packet();
                    same_data(packet.cmd, &packet.data, instead.as_bytes(), &place);
                }
                (Some(mut peer), _) => peer.closed(),
                // Our own side had closed it.
                (None, _) => {}
            }
            return;
        }
        let recorded = Packet::take(&mut line.bytes()).expect("a whole package");
        let Some(peer) = self.peers.get_mut(&line.conn) else {
            panic!("{place}: who is {}?", line.conn);
        };
        match difference(line) {
            None => same(&peer.next_packet(), &recorded, &place),
            Some(Ours::Nothing) => {}
            Some(Ours::Says(instead)) => {
                let packet = peer.next_packet();
                assert_eq!(packet.cmd, recorded.cmd, "{place}");
                same_data(packet.cmd, &packet.data, instead.as_bytes(), &place);
            }
            Some(Ours::AlsoTo(label)) => {
                same(&peer.next_packet(), &recorded, &place);
                let other = self.peers.get_mut(label).expect("it is connected");
                same(&other.next_packet(), &recorded, &place);
            }
            Some(Ours::ClosedOrSays(instead)) => match peer.try_next(myim_tests::peer::PATIENCE) {
                Ok(packet) => same_data(packet.cmd, &packet.data, instead.as_bytes(), &place),
                Err(_) => drop(self.peers.remove(&line.conn)),
            },
        }
    }

    fn close(&mut self, label: &str) {
        if let Some(peer) = self.peers.remove(label) {
            peer.hang_up();
        }
    }

    fn peer(&mut self, label: &str) -> &mut Peer {
        self.peers.get_mut(label).expect("it is connected")
    }

    fn unrecorded(&mut self, action: Unrecorded) {
        match action {
            Close(label) => self.close(label),
            Rename(from, to) => {
                let peer = self.peers.remove(from).expect("it is connected");
                self.peers.insert(to.to_owned(), peer);
            }
            Login(label, user, password, flavor) => {
                let mut peer = self.server.peer(flavor);
                let data = login_data(user, password, flavor.client_type(), flavor.status());
                peer.send(1002, 0, data);
                assert_eq!(code(&peer.expect(1002).json()), 0);
                self.peers.insert(label.to_owned(), peer);
            }
            Apply(label, id) => {
                let data = json!({"userid": id, "type": 1}).to_string();
                self.peer(label).send(1005, 1, data);
            }
            Profile(label, [nickname, face, gender, birthday, address, phone, mail]) => {
                let number = |text: &str| -> Value { text.parse::<i64>().unwrap().into() };
                let data = json!({
                    "nickname": nickname, "facetype": number(face), "customface": "",
                    "gender": number(gender), "birthday": number(birthday), "signature": "sig签",
                    "address": address, "phonenumber": phone, "mail": mail,
                });
                self.peer(label).send(1007, 6, data.to_string());
                assert_eq!(code(&self.peer(label).expect(1007).json()), 0);
            }
            Mark(label, id, name) => {
                let fields = Fields::chat(1105, 1, "").int(id).text(name);
                self.peer(label).send_fields(&fields);
                self.peer(label).expect(1003);
            }
            Told(label) => drop(self.peer(label).expect(1005)),
            Notice(label) => drop(self.peer(label).notice()),
            Pause => self.peers.values_mut().for_each(Peer::digest),
            Read => self.peers.values_mut().for_each(Peer::forget),
        }
    }
}

fn difference(line: &Line) -> Option<Ours> {
    DIFFERENT
        .iter()
        .find(|(scenario, step, _, _)| line.is_at(scenario, *step))
        .map(|(_, _, ours, _)| *ours)
}

/// A server where strangers may write, as the original's do.
fn server() -> Server {
    Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--direct-messages", "everyone")
        .start()
}

/// Makes so many accounts and groups that the next ones get the captured numbers.
fn fill(server: &Server, accounts: i32, groups: i32) {
    for number in 1..=accounts {
        assert_eq!(
            register(server.chat, &format!("filler{number}"), "f", "filler"),
            0
        );
    }
    let mut peer = server.peer(Flavor::Pc);
    peer.send(1002, 0, login_data("filler1", "filler", 1, 1));
    peer.expect(1002);
    for _ in 0..groups {
        peer.send(1009, 1, r#"{"groupname": "f", "type": 0}"#);
        peer.expect(1009);
        peer.expect(1005);
    }
}

#[test]
fn scripted_chat() {
    let wanted = |name: &str| !name.starts_with("android-") && !name.starts_with("win-");
    Replay::new(server()).run(&lines("chat.jsonl", wanted));
}

#[test]
fn android_chat() {
    let server = server();
    fill(&server, 12, 3);
    Replay::new(server).run(&lines("chat.jsonl", |name| name.starts_with("android-")));
}

#[test]
fn windows_chat() {
    let server = server();
    fill(&server, 114, 3);
    Replay::new(server).run(&lines("chat.jsonl", |name| name.starts_with("win-")));
}

#[test]
fn every_exception_has_its_place() {
    let all = lines("chat.jsonl", |_| true);
    let there = |scenario: &str, step: u32| all.iter().any(|line| line.is_at(scenario, step));
    for (scenario, step, _, why) in DIFFERENT {
        assert!(
            there(scenario, *step) && !why.is_empty(),
            "{scenario} {step}"
        );
    }
    for (scenario, step, _) in UNRECORDED {
        assert!(there(scenario, *step), "{scenario} {step}");
    }
}
