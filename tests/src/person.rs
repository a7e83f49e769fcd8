//! What a user does at a client: logs in, makes friends, writes, listens.
//!
//! Each call is what one click sends; the checks are what a client would trip over.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};

use serde_json::{Value, json};

use crate::peer::{PATIENCE, Peer};
use crate::server::Server;
use crate::wire::{Cursor, Fields, Flavor, Packet};

/// The first group's id.
pub const GROUP_FIRST: i32 = 268_435_456;

/// A logged-in user on one device.
#[derive(Debug)]
pub struct Person {
    pub name: String,
    pub id: i32,
    /// The data of the login's reply.
    pub login: Value,
    peer: Peer,
    seq: i32,
}

impl Deref for Person {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.peer
    }
}

impl DerefMut for Person {
    fn deref_mut(&mut self) -> &mut Peer {
        &mut self.peer
    }
}

/// A chat message as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    pub from: i32,
    /// A group's id for what was said in a group.
    pub to: i32,
    pub seq: i32,
    pub json: Value,
}

impl Heard {
    pub fn read(packet: &Packet) -> Self {
        assert_eq!(packet.cmd, 1100, "a chat message: {packet:?}");
        let ints = packet.ints();
        let [from, to] = ints[..] else {
            panic!("sender and target follow the message: {packet:?}");
        };
        Self {
            from,
            to,
            seq: packet.seq,
            json: packet.json(),
        }
    }

    /// The text of the first item.
    pub fn text(&self) -> &str {
        self.json["content"][0]["msgText"]
            .as_str()
            .unwrap_or_default()
    }
}

/// How the passwords of the tests begin. No server may ever log it: each test looks.
pub const PASSWORD: &str = "password of ";

/// The password that [`register`] gives.
pub fn password(name: &str) -> String {
    format!("{PASSWORD}{name}")
}

/// The plain text message that clients send.
pub fn message(text: &str) -> String {
    json!({"msgType": 1, "time": 1_700_000_000, "clientType": 1, "content": [{"msgText": text}]})
        .to_string()
}

/// Registers on a connection of its own and returns the code.
pub fn register(chat: SocketAddr, name: &str, nickname: &str, password: &str) -> i64 {
    let mut peer = Peer::connect(chat, Flavor::Pc);
    let data = json!({"username": name, "nickname": nickname, "password": password});
    peer.send(1001, 0, data.to_string());
    code(&peer.expect(1001).json())
}

/// The `code` of a reply.
pub fn code(reply: &Value) -> i64 {
    reply["code"]
        .as_i64()
        .unwrap_or_else(|| panic!("no code in {reply}"))
}

/// The data of a login request.
pub fn login_data(name: &str, password: &str, client_type: i32, status: i32) -> String {
    json!({"username": name, "password": password, "clienttype": client_type, "status": status})
        .to_string()
}

impl Server {
    /// Registers an account whose nickname is its name.
    pub fn register(&self, name: &str) {
        let nickname: String = name.chars().take(20).collect();
        assert_eq!(
            register(self.chat, name, &nickname, &password(name)),
            0,
            "register {name}"
        );
    }

    /// Registers and logs in.
    pub fn join(&self, name: &str, flavor: Flavor) -> Person {
        self.register(name);
        self.login(name, flavor)
    }

    /// Logs in an account that [`Server::register`] made.
    pub fn login(&self, name: &str, flavor: Flavor) -> Person {
        Person::login(self.peer(flavor), name, &password(name))
    }

    /// Two friends on PCs, with nothing left unread.
    pub fn friends(&self) -> (Person, Person) {
        self.friends_on(Flavor::Pc, Flavor::Pc)
    }

    /// Two friends, with nothing left unread.
    pub fn friends_on(&self, ann: Flavor, bob: Flavor) -> (Person, Person) {
        let (mut ann, mut bob) = (self.join("ann", ann), self.join("bob", bob));
        befriend(&mut ann, &mut bob);
        (ann, bob)
    }
}

/// `a` applies, `b` accepts; both are told, nothing is left unread.
pub fn befriend(a: &mut Person, b: &mut Person) {
    a.operate(b.id, 1, None);
    b.expect(1005);
    b.operate(a.id, 3, Some(1));
    b.expect(1005);
    a.expect(1005);
    a.forget();
    b.forget();
}

impl Person {
    /// Logs in on this connection.
    pub fn login(peer: Peer, name: &str, password: &str) -> Self {
        Self::try_login(peer, name, password).unwrap_or_else(|said| panic!("login: {said}"))
    }

    /// Logs in on this connection, or tells what came instead.
    pub fn try_login(mut peer: Peer, name: &str, password: &str) -> Result<Self, String> {
        let (kind, status) = (peer.flavor.client_type(), peer.flavor.status());
        peer.send(1002, 0, login_data(name, password, kind, status));
        let reply = peer
            .try_next(PATIENCE)
            .map_err(|nothing| format!("{name}: {nothing:?}"))?
            .json();
        if code(&reply) != 0 {
            return Err(format!("{name}: {reply}"));
        }
        let id = reply["userid"]
            .as_i64()
            .and_then(|id| i32::try_from(id).ok());
        Ok(Self {
            name: name.to_owned(),
            id: id.expect("a user id"),
            login: reply,
            peer,
            seq: 100,
        })
    }

    fn next_seq(&mut self) -> i32 {
        self.seq += 1;
        self.seq
    }

    /// Sends a command and returns its number.
    pub fn request(&mut self, cmd: i32, data: impl AsRef<[u8]>) -> i32 {
        self.request_with(cmd, data, |fields| fields)
    }

    /// Sends a command with fields behind the data.
    pub fn request_with(
        &mut self,
        cmd: i32,
        data: impl AsRef<[u8]>,
        more: impl FnOnce(Fields) -> Fields,
    ) -> i32 {
        let seq = self.next_seq();
        let fields = more(Fields::chat(cmd, seq, data));
        self.peer.send_fields(&fields);
        seq
    }

    /// Sends a command and waits for the reply of this command and number; what else comes stays
    /// for later.
    pub fn ask(&mut self, cmd: i32, data: impl AsRef<[u8]>) -> Value {
        let seq = self.request(cmd, data);
        self.reply(cmd, seq)
    }

    /// Waits for the reply of this command and number.
    pub fn reply(&mut self, cmd: i32, seq: i32) -> Value {
        self.peer
            .find(|packet| packet.cmd == cmd && packet.seq == seq)
            .json()
    }

    /// Ends this connection and waits until that friend was told.
    pub fn hang_up_and_wait(self, friend: &mut Self) {
        let id = self.id;
        friend.forget();
        self.peer.hang_up();
        friend.find(|packet| {
            packet.cmd == 1006 && packet.ints() == [id] && packet.json()["type"] == 2
        });
    }

    /// 1005: 1 applies, 3 answers, 4 deletes or leaves.
    pub fn operate(&mut self, whom: i32, kind: i32, accept: Option<i32>) -> i32 {
        let mut data = json!({"userid": whom, "type": kind});
        if let Some(accept) = accept {
            data["accept"] = accept.into();
        }
        self.request(1005, data.to_string())
    }

    /// 1003, the whole reply.
    pub fn contacts(&mut self) -> Value {
        let reply = self.ask(1003, "");
        assert_eq!(code(&reply), 0, "{reply}");
        reply
    }

    /// The friends and groups in the contact list, with the team each stands in.
    pub fn members(&mut self) -> Vec<(String, Value)> {
        team_members(&self.contacts())
    }

    /// One friend's or group's entry in the contact list.
    pub fn member(&mut self, id: i32) -> Option<(String, Value)> {
        self.members()
            .into_iter()
            .find(|(_, member)| member["userid"] == id)
    }

    /// The names of the teams, in order.
    pub fn teams(&mut self) -> Vec<String> {
        team_names(&self.contacts())
    }

    /// Sends this JSON to a user or group.
    pub fn send_chat(&mut self, to: i32, data: impl AsRef<[u8]>) -> i32 {
        self.request_with(1100, data, |fields| fields.int(to))
    }

    /// Says this to a user or group.
    pub fn say(&mut self, to: i32, text: &str) -> i32 {
        self.send_chat(to, message(text))
    }

    /// Says this to several.
    pub fn say_to_all(&mut self, targets: &[Value], text: &str) -> i32 {
        let list = json!({"targets": targets}).to_string();
        self.request_with(1101, message(text), |fields| fields.text(list))
    }

    /// The next chat message; notices before it are skipped.
    pub fn hear(&mut self) -> Heard {
        Heard::read(&self.peer.expect(1100))
    }

    /// The next messages have these texts, in this order.
    pub fn hears(&mut self, texts: &[&str]) {
        for text in texts {
            assert_eq!(self.hear().text(), *text, "{} hears in order", self.name);
        }
    }

    /// Creates a group and reads both answers.
    pub fn create_group(&mut self, name: &str) -> i32 {
        let data = json!({"groupname": name, "type": 0}).to_string();
        let reply = self.ask(1009, data);
        assert_eq!(code(&reply), 0, "{reply}");
        self.expect(1005);
        reply["groupid"]
            .as_i64()
            .and_then(|id| i32::try_from(id).ok())
            .expect("a group id")
    }

    /// Joins a group and reads the answer and the notice.
    pub fn join_group(&mut self, group: i32) {
        self.operate(group, 1, None);
        self.expect(1005);
        self.find(|packet| packet.cmd == 1006 && packet.ints() == [group]);
    }

    /// 1104: 0 adds, 1 deletes, 2 renames.
    pub fn change_team(&mut self, operation: i32, new: &str, old: &str) -> i32 {
        self.request_with(1104, "", |fields| fields.int(operation).text(new).text(old))
    }

    /// 1105.
    pub fn mark(&mut self, friend: i32, name: &str) -> i32 {
        self.request_with(1105, "", |fields| fields.int(friend).text(name))
    }

    /// 1106.
    pub fn move_to_team(&mut self, friend: i32, new: &str, old: &str) -> i32 {
        self.request_with(1106, "", |fields| fields.int(friend).text(new).text(old))
    }

    /// 1004: what searching for this name finds.
    pub fn search(&mut self, name: &str) -> Vec<Value> {
        let reply = self.ask(1004, json!({"type": 1, "username": name}).to_string());
        assert_eq!(code(&reply), 0, "{reply}");
        reply["userinfo"].as_array().expect("a list").clone()
    }

    /// 1010: the members of a group.
    pub fn group_members(&mut self, group: i32) -> Vec<Value> {
        let reply = self.ask(1010, json!({"groupid": group}).to_string());
        assert_eq!(code(&reply), 0, "{reply}");
        reply["members"].as_array().expect("a list").clone()
    }
}

/// The entries of a contact list with the team each stands in.
pub fn team_members(contacts: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for team in contacts["userinfo"].as_array().expect("teams") {
        let name = team["teamname"].as_str().expect("every team has a name");
        let members = team["members"].as_array().expect("every team has members");
        found.extend(
            members
                .iter()
                .map(|member| (name.to_owned(), member.clone())),
        );
    }
    found
}

/// The names of the teams of a contact list, in order.
pub fn team_names(contacts: &Value) -> Vec<String> {
    let teams = contacts["userinfo"].as_array().expect("teams");
    teams
        .iter()
        .map(|team| team["teamname"].as_str().expect("a name").to_owned())
        .collect()
}

/// The header, the picture data and the target of a 1103.
pub fn remote_frame(packet: &Packet) -> (Vec<u8>, Vec<u8>, i32) {
    let mut cursor = Cursor::new(&packet.rest);
    (cursor.text().to_vec(), cursor.text().to_vec(), cursor.int())
}
