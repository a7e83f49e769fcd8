//! Plays a screenplay against a running server.
//!
//! Each step is done by a device's own connection; what it notices it must notice in time.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::peer::NOTICE;
use crate::person::{Heard, Person};
use crate::scenario::parse::{Act, Play, Step};
use crate::server::Server;
use crate::transfer::{Transfer, content};
use crate::wire::{Flavor, Packet};

/// Performs the play; devices declared `any` are of this flavor.
///
/// # Panics
/// Where the server does not follow the script, with the line.
pub fn perform(play: &Play, server: Server, any: Flavor) {
    let mut stage = Stage::new(play, server, any);
    for (line, step) in &play.steps {
        stage.line = *line;
        eprintln!("line {line}: {step:?}");
        stage.play(step);
    }
}

#[derive(Debug)]
struct Stage {
    server: Server,
    line: usize,
    /// Device name, account, flavor, in the order of the cast.
    devices: Vec<(String, String, Flavor)>,
    connected: HashMap<String, Person>,
    /// Accounts and groups by the name used in the play.
    ids: HashMap<String, i32>,
}

/// `Bob's laptop` belongs to `Bob`.
fn owner(device: &str) -> &str {
    device.split_once("'s ").map_or(device, |(owner, _)| owner)
}

/// What the account is called: user names are lower case and short.
fn username(account: &str) -> String {
    account.to_lowercase()
}

impl Stage {
    fn new(play: &Play, server: Server, any: Flavor) -> Self {
        let mut stage = Self {
            server,
            line: 0,
            devices: Vec::new(),
            connected: HashMap::new(),
            ids: HashMap::new(),
        };
        for (device, flavor) in &play.cast {
            let account = owner(device).to_owned();
            if !stage.ids.contains_key(&account) {
                stage.server.register(&username(&account));
                // The first account of an empty database has the number 1, and so on.
                let id = i32::try_from(stage.ids.len() + 1).expect("a small cast");
                stage.ids.insert(account.clone(), id);
            }
            stage
                .devices
                .push((device.clone(), account, flavor.unwrap_or(any)));
        }
        stage
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::ServerKilled => {
                self.server.kill();
                self.curtain();
            }
            Step::ServerRestarted => {
                self.server.stop();
                self.curtain();
            }
            Step::Does(device, act) => self.act(device, act),
        }
    }

    /// Everybody's connection is gone; the server starts on the same data.
    fn curtain(&mut self) {
        self.connected.clear();
        self.server.again();
    }

    fn id(&self, name: &str) -> i32 {
        *self
            .ids
            .get(name)
            .unwrap_or_else(|| panic!("line {}: who or what is {name}?", self.line))
    }

    /// The device's connection, made if need be.
    fn device(&mut self, device: &str) -> &mut Person {
        if !self.connected.contains_key(device) {
            let (_, account, flavor) = self
                .devices
                .iter()
                .find(|(name, _, _)| name == device)
                .expect("the parser knows the cast");
            let person = self.server.login(&username(account), *flavor);
            assert_eq!(person.id, self.ids[account], "accounts are numbered from 1");
            self.connected.insert(device.to_owned(), person);
        }
        self.connected.get_mut(device).expect("just connected")
    }

    /// A device of this account: one that is connected, else the first in the cast.
    fn device_of(&self, account: &str) -> String {
        let mut devices = self.devices.iter().filter(|(_, owner, _)| owner == account);
        let first = devices.clone().next();
        devices
            .find(|(name, _, _)| self.connected.contains_key(name))
            .or(first)
            .map(|(name, _, _)| name.clone())
            .unwrap_or_else(|| panic!("line {}: nobody plays {account}", self.line))
    }

    fn act(&mut self, device: &str, act: &Act) {
        match act {
            Act::Connects => {
                self.connected.remove(device);
                self.device(device);
            }
            Act::Disconnects => self.leave(device),
            Act::IsKicked => {
                self.device(device).find(|packet| packet.cmd == 1102);
                self.connected.remove(device);
            }
            Act::Befriends(who) => self.befriend(device, who),
            Act::Creates(group) => {
                let id = self.device(device).create_group(group);
                self.ids.insert(group.clone(), id);
            }
            Act::Joins(group) => {
                let id = self.id(group);
                self.device(device).join_group(id);
            }
            Act::Leaves(group) => {
                let id = self.id(group);
                self.operate(device, id, 4, None);
                self.operation(device, id, 5, None);
            }
            Act::SendsPicture { picture, to } => self.send_picture(device, picture, to),
            Act::GetsPicture { picture, from } => self.get_picture(device, picture, from),
            Act::SeesOnline(who) => self.sees(device, who, true),
            Act::SeesOffline(who) => self.sees(device, who, false),
            friendship => self.friendship(device, friendship),
        }
    }

    fn friendship(&mut self, device: &str, act: &Act) {
        match act {
            Act::Asks(who) => {
                let id = self.id(who);
                self.operate(device, id, 1, None);
            }
            Act::IsAskedBy(who) => self.operation(device, self.id(who), 2, None),
            Act::Accepts(who) => self.answer(device, who, 1),
            Act::Refuses(who) => self.answer(device, who, 0),
            Act::IsAcceptedBy(who) => self.operation(device, self.id(who), 3, Some(1)),
            Act::IsRefusedBy(who) => self.operation(device, self.id(who), 3, Some(0)),
            Act::Unfriends(who) => {
                let id = self.id(who);
                self.operate(device, id, 4, None);
                self.operation(device, id, 5, None);
            }
            Act::IsUnfriendedBy(who) => self.operation(device, self.id(who), 5, None),
            talk => self.talk(device, talk),
        }
    }

    fn talk(&mut self, device: &str, act: &Act) {
        match act {
            Act::Says { to, text } => {
                let to = self.id(to);
                let person = self.device(device);
                person.say(to, text);
                settle(person);
            }
            Act::Tells { to, text } => {
                let targets: Vec<Value> = to.iter().map(|name| json!(self.id(name))).collect();
                let person = self.device(device);
                person.say_to_all(&targets, text);
                settle(person);
            }
            Act::Hears { from, texts } => {
                let (from, me) = (self.id(from), self.id(owner(device)));
                self.hear(device, from, me, texts);
            }
            Act::HearsIn { group, from, texts } => {
                let (from, group) = (self.id(from), self.id(group));
                self.hear(device, from, group, texts);
            }
            Act::HearsNothing => {
                let line = self.line;
                let before = settle(self.device(device));
                let chats: Vec<_> = before.iter().filter(|packet| packet.cmd == 1100).collect();
                assert!(chats.is_empty(), "line {line}: hears {chats:?}");
            }
            contacts => self.contacts(device, contacts),
        }
    }

    fn contacts(&mut self, device: &str, act: &Act) {
        let line = self.line;
        match act {
            Act::AddsTeam(team) => {
                let person = self.device(device);
                let seq = person.change_team(0, team, "");
                person.reply(1003, seq);
            }
            Act::Puts { who, team } => {
                let id = self.id(who);
                let person = self.device(device);
                let (old, _) = person.member(id).expect("a contact");
                let seq = person.move_to_team(id, team, &old);
                person.reply(1003, seq);
            }
            Act::Calls { who, name } => {
                let id = self.id(who);
                let person = self.device(device);
                let seq = person.mark(id, name);
                person.reply(1003, seq);
            }
            Act::HasContacts(names) => {
                let mut wanted: Vec<_> = names.iter().map(|name| json!(self.id(name))).collect();
                let mut found: Vec<_> = self
                    .device(device)
                    .members()
                    .into_iter()
                    .map(|(_, member)| member["userid"].clone())
                    .collect();
                wanted.sort_by_key(Value::as_i64);
                found.sort_by_key(Value::as_i64);
                assert_eq!(found, wanted, "line {line}");
            }
            Act::HasInTeam { who, team } => {
                let id = self.id(who);
                let (found, _) = self.device(device).member(id).expect("a contact");
                assert_eq!(found, *team, "line {line}");
            }
            Act::Knows { who, name } => {
                let id = self.id(who);
                let (_, member) = self.device(device).member(id).expect("a contact");
                assert_eq!(member["markname"], json!(name), "line {line}");
            }
            other => panic!("line {line}: nobody knows how to play {other:?}"),
        }
    }

    /// Disconnects and waits until the server has noticed.
    fn leave(&mut self, device: &str) {
        let person = self.connected.remove(device);
        let person = person.unwrap_or_else(|| panic!("line {}: not connected", self.line));
        person.hang_up();
    }

    fn befriend(&mut self, device: &str, who: &str) {
        let other = self.device_of(who);
        let was_there = self.connected.contains_key(&other);
        let (me, them) = (self.id(owner(device)), self.id(who));
        self.operate(device, them, 1, None);
        self.operation(&other, me, 2, None);
        self.operate(&other, me, 3, Some(1));
        self.operation(&other, me, 3, Some(1));
        self.operation(device, them, 3, Some(1));
        if !was_there {
            // He was only fetched to accept.
            let gone = self.connected.remove(&other).expect("connected above");
            gone.hang_up_and_wait(self.device(device));
        }
    }

    fn operate(&mut self, device: &str, whom: i32, kind: i32, accept: Option<i32>) {
        let person = self.device(device);
        person.operate(whom, kind, accept);
        settle(person);
    }

    fn answer(&mut self, device: &str, who: &str, accept: i32) {
        let id = self.id(who);
        self.operate(device, id, 3, Some(accept));
        self.operation(device, id, 3, Some(accept));
    }

    /// The device is told of an operation of this kind about this user or group.
    fn operation(&mut self, device: &str, about: i32, kind: i32, accept: Option<i32>) {
        self.device(device).find(|packet| {
            if packet.cmd != 1005 {
                return false;
            }
            let told = packet.json();
            let accepted = accept.is_none_or(|accept| told["accept"] == accept);
            told["userid"] == about && told["type"] == kind && accepted
        });
    }

    fn hear(&mut self, device: &str, from: i32, to: i32, texts: &[String]) {
        let line = self.line;
        let person = self.device(device);
        for text in texts {
            let heard = Heard::read(&person.find(|packet| packet.cmd == 1100));
            assert_eq!(
                (heard.text(), heard.from, heard.to),
                (text.as_str(), from, to),
                "line {line}"
            );
        }
        person.digest();
    }

    fn sees(&mut self, device: &str, who: &str, online: bool) {
        let id = self.id(who);
        let person = self.device(device);
        let kind = if online { 1 } else { 2 };
        person.find(|packet| {
            packet.cmd == NOTICE && packet.ints() == [id] && packet.json()["type"] == kind
        });
        let (_, member) = person.member(id).expect("a contact");
        assert_eq!(member["status"] != 0, online);
    }

    fn send_picture(&mut self, device: &str, picture: &str, to: &str) {
        let to = self.id(to);
        let address = self.server.image;
        let person = self.device(device);
        let bytes = content(100_000, picture.len().try_into().expect("a short name"));
        let file = format!("{picture}.jpg");
        let announce = json!({"msgType": 1, "time": 1, "clientType": 1,
            "content": [{"pic": [file, file, 0, 10, 10]}]});
        person.send_chat(to, announce.to_string());
        let name = Transfer::connect(address, person.flavor).upload(&bytes);
        let confirm = json!({"msgType": 2, "time": 1, "clientType": 1,
            "content": [{"pic": [file, name, bytes.len(), 10, 10]}]});
        person.send_chat(to, confirm.to_string());
        settle(person);
    }

    fn get_picture(&mut self, device: &str, picture: &str, from: &str) {
        let (from, line) = (self.id(from), self.line);
        let address = self.server.image;
        let person = self.device(device);
        let mut name = String::new();
        for kind in [1, 2] {
            let heard = Heard::read(&person.find(|packet| packet.cmd == 1100));
            assert_eq!(
                (heard.from, &heard.json["msgType"]),
                (from, &json!(kind)),
                "line {line}"
            );
            let pic = &heard.json["content"][0]["pic"];
            assert_eq!(pic[0], json!(format!("{picture}.jpg")), "line {line}");
            name = pic[1].as_str().expect("a name").to_owned();
        }
        let bytes = Transfer::connect(address, person.flavor).download(&name);
        let wanted = content(100_000, picture.len().try_into().expect("a short name"));
        assert!(bytes == Some(wanted), "line {line}: another picture");
    }
}

/// Waits until the server has done what this device asked; keeps what came meanwhile.
fn settle(person: &mut Person) -> Vec<Packet> {
    let before = person.barrier();
    person.keep(before.clone());
    before
}
