//! A play's actor that speaks HTTP and WebSocket.

use std::collections::HashMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::flamingo::attachment;
use super::player::{Change, Held, Player, Thing};
use crate::api::escaped;
use crate::api_person::{ApiPerson, Device, said, segments, seq, text};
use crate::server::Server;
use crate::transfer::{Transfer, md5_name};
use crate::wire::Flavor;

/// The first number of a group.
const GROUP_FIRST: i32 = crate::person::GROUP_FIRST;

/// What a play may be refused without saying so: it tells what arrives instead.
const REFUSALS: [&str; 4] = ["not_friends", "not_a_member", "blocked", "muted"];

/// Puts one user's devices on the stage: each has a session of its own.
#[derive(Debug)]
pub(super) struct WebPlayer {
    device: Device,
    held: Held,
    /// The client ids of what was said, by text.
    said: HashMap<String, String>,
}

impl WebPlayer {
    /// Signs in and says hello; with what the device acknowledged earlier, and whether the server
    /// crashed since.
    pub(super) fn connect(
        server: &Server,
        account: &str,
        device: &str,
        (held, after_crash): (Held, bool),
    ) -> Self {
        let person = server.sign_in(account, device);
        let mut device = person.connect();
        device.resume(held.clone(), after_crash);
        Self {
            device,
            held,
            said: HashMap::new(),
        }
    }

    fn person(&self) -> &ApiPerson {
        &self.device.person
    }

    fn me(&self) -> i32 {
        self.person().number()
    }

    /// The conversation in which this user talks to a user or a group, or hears from them.
    fn conversation(&self, with: i32) -> String {
        if with >= GROUP_FIRST {
            self.person().of_group(&with.to_string())
        } else {
            self.person().direct(&with.to_string())
        }
    }

    fn acknowledge(&mut self, event: &Value) {
        let conversation = text(&event["conversation"]);
        let seq = seq(event);
        self.device.ack(&conversation, seq);
        self.held.insert(conversation, seq);
    }

    /// The next chat message of somebody else in the conversation with this user or group. What is
    /// said in several conversations may come in any order: one may have to be asked for first.
    fn next(&mut self, from: i32, to: i32) -> Value {
        let me = self.person().user_id.clone();
        let with = if to == self.me() { from } else { to };
        let conversation = self.conversation(with);
        let event = self
            .device
            .find(|event| is_chat(event, &me) && event["message"]["conversation"] == *conversation);
        let message = event["message"].clone();
        assert_eq!(message["sender"], from.to_string(), "{message}");
        self.acknowledge(&event);
        message
    }

    fn segment(&mut self, from: i32, to: i32, kind: &str) -> Value {
        let message = self.next(from, to);
        let segment = message["segments"][0].clone();
        assert_eq!(segment["type"], kind, "{message}");
        segment
    }

    /// A message of somebody that names this content; announcements of it may come before.
    fn attached(&mut self, from: i32, to: i32, kind: &str, name: &str) -> Value {
        let hash = sha256(&attachment(name));
        loop {
            let message = self.next(from, to);
            let segment = &message["segments"][0];
            if segment["type"] == kind && segment["file"] == hash {
                assert_eq!(segment["size"], attachment(name).len(), "{message}");
                return segment.clone();
            }
            assert!(
                message["segments"][0]["type"] != kind,
                "another one: {message}"
            );
        }
    }

    /// The newest message of this text in a conversation.
    fn find_said(&self, conversation: &str, words: &str) -> u64 {
        let history = self.person().history(conversation);
        let found = history.iter().rev().find(|one| said(one) == words);
        seq(found.unwrap_or_else(|| panic!("nobody said {words:?}")))
    }

    fn contact(&self, kind: &str, who: i32) -> impl Fn(&Value) -> bool + use<> {
        let (kind, who) = (format!("contact.{kind}"), who.to_string());
        move |event| event["event"] == kind && names(event, &who)
    }

    fn put_contact(&self, who: i32, change: &Value) {
        self.person()
            .patch(&format!("/contacts/{who}"), change)
            .ok(200);
    }

    fn entry(&self, who: i32) -> Value {
        let who = who.to_string();
        let mut contacts = self.person().list("/contacts", 100).into_iter();
        contacts.find(|one| names(one, &who)).expect("a contact")
    }

    fn request_of(&self, who: i32) -> String {
        let who = who.to_string();
        let requests = self.person().list("/contacts/requests", 100);
        let found = requests
            .iter()
            .find(|one| one["direction"] == "incoming" && names(one, &who));
        text(&found.unwrap_or_else(|| panic!("no request of {who}: {requests:?}"))["id"])
    }

    fn upload(&self, what: &Thing, server: &Server) -> Value {
        let (address, name) = match what {
            Thing::Picture(name) => (server.image, name),
            Thing::File(name) => (server.file, name),
            other => panic!("{other:?} is nothing to upload"),
        };
        let bytes = attachment(name);
        Transfer::connect(address, Flavor::Pc).upload(&bytes);
        let (file, size) = (sha256(&bytes), bytes.len());
        match what {
            Thing::Picture(_) => json!([{"type": "image", "file": file, "width": 10, "height": 10,
                "size": size, "name": format!("{name}.jpg")}]),
            _ => json!([{"type": "file", "file": file, "name": name, "size": size,
                "mime": "application/octet-stream"}]),
        }
    }

    fn send_segments(&mut self, to: i32, client_id: &str, what: &Value) {
        let to = if to >= GROUP_FIRST {
            json!({"group": to.to_string()})
        } else {
            json!({"user": to.to_string()})
        };
        if let Err(error) = self.device.try_send_to(&to, client_id, what) {
            let code = error["code"].as_str().unwrap_or_default();
            assert!(REFUSALS.contains(&code), "{error}");
        }
    }
}

/// Whether this names the user, wherever this kind of object does.
fn names(object: &Value, who: &str) -> bool {
    object["user_id"] == who
        || object["user"]["id"] == who
        || object["contact"]["user"]["id"] == who
        || object["request"]["user"]["id"] == who
}

fn is_chat(event: &Value, me: &str) -> bool {
    let message = &event["message"];
    event["event"] == "message" && message["notice"].is_null() && message["sender"] != *me
}

/// Whether the message of an update is now what the change makes of it.
fn is_changed(event: &Value, text: &str, change: &Change) -> bool {
    let message = &event["message"];
    match change {
        Change::Recalled => message["recalled_at"].is_string() && message["segments"] == json!([]),
        Change::Edited(words) => message["edited_at"].is_string() && said(message) == *words,
        Change::Reacted(emoji) => {
            let reactions = message["reactions"].as_array().into_iter().flatten();
            let found = reactions.filter(|one| one["emoji"] == **emoji && one["count"] == 1);
            found.count() == 1 && said(message) == text
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut name = String::new();
    for byte in Sha256::digest(bytes) {
        write!(name, "{byte:02x}").expect("writing to memory");
    }
    name
}

impl Player for WebPlayer {
    fn number(&self) -> i32 {
        self.me()
    }

    fn held(&self) -> Held {
        self.held.clone()
    }

    fn leave(self: Box<Self>) {
        self.device.leave();
    }

    fn is_kicked(mut self: Box<Self>) {
        self.device.is_signed_out();
    }

    fn ask(&mut self, who: i32, note: &str) {
        self.person().ask_friend(&who.to_string(), note);
    }

    fn is_asked_by(&mut self, who: i32, note: &str) {
        let fits = self.contact("requested", who);
        let event = self.device.find(fits);
        let told = [&event["note"], &event["request"]["note"]];
        assert!(note.is_empty() || told.contains(&&json!(note)), "{event}");
        self.acknowledge(&event);
    }

    fn answer(&mut self, who: i32, yes: bool) {
        let request = self.request_of(who);
        if yes {
            self.person().accept_friend(&request);
        } else {
            self.person().decline_friend(&request);
        }
    }

    fn is_answered_by(&mut self, who: i32, yes: bool) {
        let fits = self.contact("answered", who);
        let event = self
            .device
            .find(|event| fits(event) && event["accepted"] == yes);
        self.acknowledge(&event);
    }

    fn unfriend(&mut self, who: i32) {
        let answer = self.person().delete(&format!("/contacts/{who}"));
        assert!((200..300).contains(&answer.status), "{answer}");
    }

    fn is_unfriended_by(&mut self, who: i32) {
        let fits = self.contact("removed", who);
        let event = self.device.find(fits);
        self.acknowledge(&event);
    }

    fn block(&mut self, who: i32, on: bool) {
        let method = if on { "PUT" } else { "DELETE" };
        let answer = self.person().call(method, &format!("/blocks/{who}"), None);
        assert!((200..300).contains(&answer.status), "{answer}");
    }

    fn send(&mut self, to: i32, what: &Thing, server: &Server) {
        let client_id = self.device.client_id();
        let content = match what {
            Thing::Text(text) => {
                self.said.insert(text.clone(), client_id.clone());
                segments(text)
            }
            Thing::Face(id) => json!([{"type": "face", "id": id}]),
            Thing::Nudge => json!([{"type": "nudge"}]),
            Thing::Picture(_) | Thing::File(_) => self.upload(what, server),
        };
        self.send_segments(to, &client_id, &content);
    }

    fn send_to_all(&mut self, to: &[i32], text: &str) {
        for one in to {
            let client_id = self.device.client_id();
            self.send_segments(*one, &client_id, &segments(text));
        }
    }

    fn repeat(&mut self, to: i32, text: &str) {
        let client_id = self.said.get(text).cloned();
        let client_id = client_id.unwrap_or_else(|| panic!("never said {text:?}"));
        let conversation = self.conversation(to);
        // The second answer is the first one's, with another status.
        self.person()
            .try_say(&conversation, &client_id, text)
            .ok(200);
    }

    fn hear(&mut self, from: i32, to: i32, what: &Thing, server: &Server) {
        match what {
            Thing::Text(words) => {
                let message = self.next(from, to);
                assert_eq!(said(&message), *words, "{message}");
            }
            Thing::Face(id) => assert_eq!(self.segment(from, to, "face")["id"], *id),
            Thing::Nudge => drop(self.segment(from, to, "nudge")),
            Thing::Picture(name) => {
                self.attached(from, to, "image", name);
                let bytes = Transfer::connect(server.image, Flavor::Pc);
                let bytes = { bytes }.download(&md5_name(&attachment(name)));
                assert!(bytes == Some(attachment(name)), "another picture");
            }
            Thing::File(name) => {
                assert_eq!(self.attached(from, to, "file", name)["name"], **name);
            }
        }
    }

    fn hear_nothing(&mut self) {
        self.device.catch_up();
        let me = self.person().user_id.clone();
        let loud: Vec<_> = self
            .device
            .waiting()
            .filter(|one| is_chat(one, &me))
            .collect();
        assert!(loud.is_empty(), "hears {loud:#?}");
    }

    fn change(&mut self, to: i32, text: &str, change: &Change) {
        let conversation = self.conversation(to);
        let seq = self.find_said(&conversation, text);
        let path = format!("/conversations/{conversation}/messages/{seq}");
        let answer = match change {
            Change::Recalled => self.person().post(&format!("{path}/recall"), &json!({})),
            Change::Edited(words) => self
                .person()
                .patch(&path, &json!({"segments": segments(words)})),
            Change::Reacted(emoji) => {
                let path = format!("{path}/reactions/{}", escaped(emoji));
                self.person().call("PUT", &path, None)
            }
        };
        assert!((200..300).contains(&answer.status), "{answer}");
    }

    fn sees(&mut self, from: i32, to: i32, text: &str, change: &Change) {
        let with = if to == self.me() { from } else { to };
        let conversation = self.conversation(with);
        // What this user did himself may be told as well.
        let event = self.device.find(|event| {
            let is_there = event["conversation"] == conversation;
            is_there && event["event"] == "message.updated" && is_changed(event, text, change)
        });
        assert!(
            seq(&event["message"]) < seq(&event),
            "the change stands behind: {event}"
        );
        self.acknowledge(&event);
    }

    fn create_group(&mut self, name: &str) -> i32 {
        let group = self.person().create_group_with_members(name, &[]);
        group.parse().expect("a group's number")
    }

    fn join(&mut self, group: i32) {
        let answer = self
            .person()
            .post(&format!("/groups/{group}/join"), &json!({}));
        assert!((200..300).contains(&answer.status), "{answer}");
    }

    /// An owner hands the group over first: only the old protocol lets him just go.
    fn leave_group(&mut self, group: i32) {
        let me = self.person().user_id.clone();
        let own = format!("/groups/{group}/members/{me}");
        let answer = self.person().delete(&own);
        if answer.status == 409 {
            answer.refused(409, "owner_must_transfer");
            let members = self.person().list(&format!("/groups/{group}/members"), 100);
            let heir = members.iter().find(|one| !names(one, &me));
            let heir = text(&heir.expect("another member")["user"]["id"]);
            let heir = json!({"user_id": heir});
            let answer = self
                .person()
                .post(&format!("/groups/{group}/transfer"), &heir);
            assert!((200..300).contains(&answer.status), "{answer}");
            let answer = self.person().delete(&own);
            assert!((200..300).contains(&answer.status), "{answer}");
        } else {
            assert!((200..300).contains(&answer.status), "{answer}");
        }
    }

    fn invite(&mut self, who: i32, group: i32) {
        let path = format!("/groups/{group}/members/{who}");
        let answer = self.person().put(&path, &json!({}));
        assert!((200..300).contains(&answer.status), "{answer}");
    }

    fn remove(&mut self, who: i32, group: i32) {
        let answer = self
            .person()
            .delete(&format!("/groups/{group}/members/{who}"));
        assert!((200..300).contains(&answer.status), "{answer}");
    }

    fn add_team(&mut self, team: &str) {
        self.person()
            .post("/contact_lists", &json!({"name": team}))
            .ok(201);
    }

    fn put(&mut self, who: i32, team: &str) {
        self.put_contact(who, &json!({"list": team}));
    }

    fn call(&mut self, who: i32, name: &str) {
        self.put_contact(who, &json!({"remark": name}));
    }

    fn contacts(&mut self) -> Vec<i32> {
        let friends = self.person().list("/contacts", 100);
        let friends = friends.iter().map(|one| text(&one["user"]["id"]));
        let all = self.person().conversations();
        let groups = all.iter().filter(|one| one["kind"] == "group");
        let groups = groups.map(|one| text(&one["group"]["id"]));
        let numbers = friends
            .chain(groups)
            .map(|id| id.parse().expect("a number"));
        numbers.collect()
    }

    fn team_of(&mut self, who: i32) -> String {
        text(&self.entry(who)["list"])
    }

    fn name_of(&mut self, who: i32) -> String {
        text(&self.entry(who)["remark"])
    }

    fn sees_presence(&mut self, who: i32, online: bool) {
        let who = who.to_string();
        self.device.find(|event| {
            let is_online = event["status"] != "offline";
            event["event"] == "presence" && names(event, &who) && is_online == online
        });
    }

    fn follows_presence(&self) -> bool {
        false
    }
}
