//! A play's actor with one of the existing clients.

use serde_json::{Value, json};

use super::player::{Change, Held, Player, Thing};
use crate::peer::NOTICE;
use crate::person::{Heard, Person};
use crate::server::Server;
use crate::transfer::{Transfer, content};
use crate::wire::Packet;

/// The size of a picture or a file of a play, in bytes.
pub(super) const ATTACHMENT_BYTES: usize = 100_000;

/// What stands in a picture or a file of this name.
pub(super) fn attachment(name: &str) -> Vec<u8> {
    let seed = name
        .bytes()
        .fold(7, |seed: u64, byte| seed * 31 + u64::from(byte));
    content(ATTACHMENT_BYTES, seed)
}

#[derive(Debug)]
pub(super) struct FlamingoPlayer(pub Person);

impl FlamingoPlayer {
    /// Waits until the server has done what this device asked; keeps what came meanwhile.
    fn settle(&mut self) -> Vec<Packet> {
        let before = self.0.barrier();
        self.0.keep(before.clone());
        before
    }

    fn operate(&mut self, whom: i32, kind: i32, accept: Option<i32>) {
        self.0.operate(whom, kind, accept);
        self.settle();
    }

    /// The device is told of an operation of this kind about this user or group.
    fn operation(&mut self, about: i32, kind: i32, accept: Option<i32>) {
        self.0.find(|packet| {
            if packet.cmd != 1005 {
                return false;
            }
            let told = packet.json();
            let accepted = accept.is_none_or(|accept| told["accept"] == accept);
            told["userid"] == about && told["type"] == kind && accepted
        });
    }

    fn chat(&mut self, to: i32, kind: i32, item: &Value) {
        let data = json!({"msgType": kind, "time": 1, "clientType": 1, "content": [item]});
        self.0.send_chat(to, data.to_string());
        self.settle();
    }

    /// The next message, from this user to this user or group. What the account did on another
    /// device may come as well.
    fn next(&mut self, from: i32, to: i32) -> Value {
        let me = self.0.id;
        let heard = Heard::read(
            &self
                .0
                .find(|packet| packet.cmd == 1100 && packet.ints().first() != Some(&me)),
        );
        assert_eq!((heard.from, heard.to), (from, to), "{}", heard.json);
        heard.json
    }

    fn send_picture(&mut self, to: i32, picture: &str, server: &Server) {
        let bytes = attachment(picture);
        let file = format!("{picture}.jpg");
        self.chat(to, 1, &json!({"pic": [file, file, 0, 10, 10]}));
        let name = Transfer::connect(server.image, self.0.flavor).upload(&bytes);
        self.chat(to, 2, &json!({"pic": [file, name, bytes.len(), 10, 10]}));
    }

    /// A picture may be announced before it is there; the second message confirms it.
    fn get_picture(&mut self, from: i32, to: i32, picture: &str, server: &Server) {
        let mut heard = self.next(from, to);
        if heard["msgType"] == 1 {
            assert_eq!(heard["content"][0]["pic"][2], 0, "an announcement: {heard}");
            heard = self.next(from, to);
        }
        assert_eq!(heard["msgType"], 2, "{heard}");
        let pic = &heard["content"][0]["pic"];
        let file = pic[0].as_str().unwrap_or_default();
        assert!(
            file.ends_with(".jpg"),
            "the PC saves it under this name: {heard}"
        );
        let name = pic[1].as_str().expect("a name");
        let bytes = Transfer::connect(server.image, self.0.flavor).download(name);
        assert!(bytes == Some(attachment(picture)), "another picture");
    }
}

impl Player for FlamingoPlayer {
    fn number(&self) -> i32 {
        self.0.id
    }

    fn held(&self) -> Held {
        Held::new()
    }

    fn leave(self: Box<Self>) {
        self.0.hang_up();
    }

    fn is_kicked(mut self: Box<Self>) {
        self.0.find(|packet| packet.cmd == 1102);
    }

    fn ask(&mut self, who: i32, note: &str) {
        assert!(note.is_empty(), "the old protocol has no notes");
        self.operate(who, 1, None);
    }

    fn is_asked_by(&mut self, who: i32, _note: &str) {
        self.operation(who, 2, None);
    }

    fn answer(&mut self, who: i32, yes: bool) {
        self.operate(who, 3, Some(i32::from(yes)));
        self.is_answered_by(who, yes);
    }

    fn is_answered_by(&mut self, who: i32, yes: bool) {
        self.operation(who, 3, Some(i32::from(yes)));
    }

    fn unfriend(&mut self, who: i32) {
        self.operate(who, 4, None);
        self.operation(who, 5, None);
    }

    fn is_unfriended_by(&mut self, who: i32) {
        self.operation(who, 5, None);
    }

    fn block(&mut self, _who: i32, _on: bool) {
        panic!("the old protocol has no blocks");
    }

    fn send(&mut self, to: i32, what: &Thing, server: &Server) {
        match what {
            Thing::Text(text) => {
                self.0.say(to, text);
                self.settle();
            }
            Thing::Face(id) => self.chat(to, 1, &json!({"faceID": id})),
            Thing::Nudge => self.chat(to, 1, &json!({"shake": 1})),
            Thing::Picture(name) => self.send_picture(to, name, server),
            Thing::File(name) => {
                let bytes = attachment(name);
                let md5 = Transfer::connect(server.file, self.0.flavor).upload(&bytes);
                self.chat(to, 1, &json!({"file": [name, md5, bytes.len(), 0]}));
            }
        }
    }

    fn send_to_all(&mut self, to: &[i32], text: &str) {
        let targets: Vec<Value> = to.iter().map(|number| json!(number)).collect();
        self.0.say_to_all(&targets, text);
        self.settle();
    }

    fn repeat(&mut self, _to: i32, _text: &str) {
        panic!("the old protocol repeats nothing");
    }

    fn hear(&mut self, from: i32, to: i32, what: &Thing, server: &Server) {
        match what {
            Thing::Text(text) => {
                let heard = self.next(from, to);
                assert_eq!(heard["content"][0]["msgText"], **text, "{heard}");
            }
            Thing::Face(id) => {
                let heard = self.next(from, to);
                assert_eq!(heard["content"][0]["faceID"], *id, "{heard}");
            }
            Thing::Nudge => {
                let heard = self.next(from, to);
                assert_eq!(heard["content"][0]["shake"], 1, "{heard}");
            }
            Thing::Picture(name) => self.get_picture(from, to, name, server),
            Thing::File(name) => {
                let heard = self.next(from, to);
                let file = &heard["content"][0]["file"];
                assert_eq!((&file[0], &file[3]), (&json!(name), &json!(0)), "{heard}");
                let md5 = file[1].as_str().expect("a name");
                let bytes = Transfer::connect(server.file, self.0.flavor).download(md5);
                assert!(bytes == Some(attachment(name)), "another file");
            }
        }
        self.0.digest();
    }

    fn hear_nothing(&mut self) {
        let before = self.settle();
        let chats: Vec<_> = before.iter().filter(|packet| packet.cmd == 1100).collect();
        assert!(chats.is_empty(), "hears {chats:?}");
    }

    fn change(&mut self, _to: i32, _text: &str, _change: &Change) {
        panic!("the old protocol changes nothing that was said");
    }

    /// A readable text says what the protocol cannot.
    fn sees(&mut self, from: i32, to: i32, _text: &str, change: &Change) {
        let heard = self.next(from, to);
        let told = heard["content"][0]["msgText"].as_str().unwrap_or_default();
        assert!(!told.is_empty(), "{heard}");
        if let Change::Edited(words) | Change::Reacted(words) = change {
            assert!(told.contains(words), "{heard}");
        }
        self.0.digest();
    }

    fn create_group(&mut self, name: &str) -> i32 {
        self.0.create_group(name)
    }

    fn join(&mut self, group: i32) {
        self.0.join_group(group);
    }

    fn leave_group(&mut self, group: i32) {
        self.operate(group, 4, None);
        self.operation(group, 5, None);
    }

    fn invite(&mut self, _who: i32, _group: i32) {
        panic!("the old protocol invites nobody");
    }

    fn remove(&mut self, _who: i32, _group: i32) {
        panic!("the old protocol removes nobody");
    }

    fn add_team(&mut self, team: &str) {
        let seq = self.0.change_team(0, team, "");
        self.0.reply(1003, seq);
    }

    fn put(&mut self, who: i32, team: &str) {
        let (old, _) = self.0.member(who).expect("a contact");
        let seq = self.0.move_to_team(who, team, &old);
        self.0.reply(1003, seq);
    }

    fn call(&mut self, who: i32, name: &str) {
        let seq = self.0.mark(who, name);
        self.0.reply(1003, seq);
    }

    fn contacts(&mut self) -> Vec<i32> {
        let members = self.0.members().into_iter();
        members
            .map(|(_, member)| {
                let number = member["userid"].as_i64().expect("a number");
                i32::try_from(number).expect("a number of 31 bits")
            })
            .collect()
    }

    fn team_of(&mut self, who: i32) -> String {
        self.0.member(who).expect("a contact").0
    }

    fn name_of(&mut self, who: i32) -> String {
        let (_, member) = self.0.member(who).expect("a contact");
        member["markname"].as_str().unwrap_or_default().to_owned()
    }

    fn sees_presence(&mut self, who: i32, online: bool) {
        let kind = if online { 1 } else { 2 };
        self.0.find(|packet| {
            packet.cmd == NOTICE && packet.ints() == [who] && packet.json()["type"] == kind
        });
        let (_, member) = self.0.member(who).expect("a contact");
        assert_eq!(member["status"] != 0, online);
    }

    fn follows_presence(&self) -> bool {
        true
    }
}
