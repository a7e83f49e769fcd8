//! What a user of the HTTP and WebSocket interface does: signs in, makes friends, writes, listens.
//!
//! The names of events and the paths stand here once; the checks are what a client would trip over.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

use crate::api::{Answer, Api};
use crate::peer::PATIENCE;
use crate::person::password;
use crate::server::Server;
use crate::socket::{Silence, Socket};

/// A user signed in on one device.
#[derive(Clone, Debug)]
pub struct ApiPerson {
    pub name: String,
    /// The user's number in decimal, as it travels.
    pub user_id: String,
    pub token: String,
    pub session_id: String,
    pub device: String,
    pub api: Api,
}

impl Deref for ApiPerson {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

impl Server {
    /// The interface, for somebody who has not signed in.
    pub fn api(&self) -> Api {
        Api::new(self.chat)
    }

    /// Makes an account whose nickname is its name; its number.
    pub fn sign_up(&self, name: &str) -> String {
        let body = json!({"username": name, "password": password(name), "nickname": name});
        let made = self.api().post("/users", &body).ok(201);
        text(&made["user"]["id"])
    }

    /// Signs in an account that exists, on the device of this name.
    pub fn sign_in(&self, name: &str, device: &str) -> ApiPerson {
        let answer = try_sign_in(&self.api(), name, &password(name), device).ok(201);
        let token = text(&answer["token"]);
        ApiPerson {
            name: name.to_owned(),
            user_id: text(&answer["user"]["id"]),
            session_id: text(&answer["session_id"]),
            device: device.to_owned(),
            api: self.api().with_token(&token),
            token,
        }
    }

    /// Makes an account and signs it in on its first device.
    pub fn newcomer(&self, name: &str) -> ApiPerson {
        self.sign_up(name);
        self.sign_in(name, "laptop")
    }

    /// Two friends, signed in on a laptop each.
    pub fn acquainted(&self) -> (ApiPerson, ApiPerson) {
        let (ann, bob) = (self.newcomer("ann"), self.newcomer("bob"));
        ann.befriend(&bob);
        (ann, bob)
    }
}

/// Signs in, or tells how that was refused.
pub fn try_sign_in(api: &Api, name: &str, password: &str, device: &str) -> Answer {
    let device = json!({"kind": "desktop", "name": device, "id": device});
    let body = json!({"username": name, "password": password, "device": device});
    api.post("/sessions", &body)
}

/// A JSON string that must be one.
pub fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("a string, not {value}"))
        .to_owned()
}

/// A message of this text alone.
pub fn segments(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}

/// The texts of a message in one piece.
pub fn said(message: &Value) -> String {
    let parts = message["segments"].as_array();
    let parts = parts.unwrap_or_else(|| panic!("a message has segments: {message}"));
    parts
        .iter()
        .filter_map(|part| part["text"].as_str())
        .collect()
}

impl ApiPerson {
    /// The user's number as the old protocol writes it.
    pub fn number(&self) -> i32 {
        self.user_id.parse().expect("a user's number")
    }

    /// Asks, and the other one accepts.
    pub fn befriend(&self, other: &Self) {
        let id = self.ask_friend(&other.user_id, "");
        other.accept_friend(&id);
    }

    /// Asks somebody to be friends; the request's number.
    pub fn ask_friend(&self, user_id: &str, note: &str) -> String {
        let body = json!({"user_id": user_id, "note": note});
        text(&self.post("/contacts/requests", &body).ok(201)["id"])
    }

    pub fn accept_friend(&self, request: &str) {
        let answer = self.post(&format!("/contacts/requests/{request}/accept"), &json!({}));
        assert!((200..300).contains(&answer.status), "{answer}");
    }

    pub fn decline_friend(&self, request: &str) {
        let answer = self.post(&format!("/contacts/requests/{request}/decline"), &json!({}));
        assert!((200..300).contains(&answer.status), "{answer}");
    }

    /// The conversation with a user, found or made.
    pub fn direct(&self, user_id: &str) -> String {
        let body = json!({"user_id": user_id});
        let found = self.post("/conversations", &body).ok(200);
        text(&found["conversation"]["id"])
    }

    /// The conversation of a group.
    pub fn of_group(&self, group: &str) -> String {
        let body = json!({"group_id": group});
        let found = self.post("/conversations", &body).ok(200);
        text(&found["conversation"]["id"])
    }

    /// Founds a group with these members; its number.
    pub fn create_group_with_members(&self, name: &str, members: &[&Self]) -> String {
        let members: Vec<_> = members.iter().map(|one| &one.user_id).collect();
        let body = json!({"name": name, "member_ids": members});
        let made = self.post("/groups", &body).ok(201);
        text(if made["group"].is_object() {
            &made["group"]["id"]
        } else {
            &made["id"]
        })
    }

    /// Writes into a conversation over HTTP.
    pub fn try_say(&self, conversation: &str, client_id: &str, words: &str) -> Answer {
        let body = json!({"client_id": client_id, "segments": segments(words)});
        self.post(&format!("/conversations/{conversation}/messages"), &body)
    }

    /// Writes into a conversation over HTTP; the place of the message.
    pub fn say(&self, conversation: &str, client_id: &str, words: &str) -> u64 {
        let stored = self.try_say(conversation, client_id, words).ok(201);
        assert_eq!(stored["conversation"], *conversation);
        assert_eq!(stored["client_id"], *client_id);
        time(&stored["time"]);
        seq(&stored)
    }

    /// The history of a conversation, read page by page from its beginning.
    pub fn history(&self, conversation: &str) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let path = format!("/conversations/{conversation}/messages?after={after}&limit=100");
            let page = self.get(&path).ok(200);
            let items = page["items"].as_array().expect("a list").clone();
            let Some(last) = items.last() else {
                return all;
            };
            assert!(seq(last) > after, "history goes forwards");
            after = seq(last);
            all.extend(items);
        }
    }

    /// The list of conversations, all of it.
    pub fn conversations(&self) -> Vec<Value> {
        self.list("/conversations", 100)
    }

    /// This conversation in the list.
    pub fn conversation(&self, id: &str) -> Value {
        let mut all = self.conversations().into_iter();
        all.find(|one| one["id"] == *id)
            .unwrap_or_else(|| panic!("{} has no conversation {id}", self.name))
    }

    /// Opens the WebSocket and says hello.
    pub fn connect(&self) -> Device {
        self.connect_with(json!({}))
    }

    /// Opens the WebSocket and says hello with these fields besides the token.
    pub fn connect_with(&self, mut fields: Value) -> Device {
        let mut socket = Socket::connect(self.api.address);
        fields["token"] = json!(self.token);
        let hello = socket.ok("hello", fields);
        assert_eq!(hello["user"]["id"], *self.user_id, "{hello}");
        assert_eq!(hello["session_id"], *self.session_id, "{hello}");
        assert!(
            hello["heartbeat"].as_u64().is_some_and(|every| every > 0),
            "{hello}"
        );
        Device {
            person: self.clone(),
            socket,
            hello,
        }
    }
}

/// The place that a message, an event or an answer names.
pub fn seq(value: &Value) -> u64 {
    value["seq"]
        .as_u64()
        .unwrap_or_else(|| panic!("no seq in {value}"))
}

/// A time must look like `2026-01-31T12:00:00.000Z`.
pub fn time(value: &Value) {
    let text = value.as_str().unwrap_or_default();
    let shape: String = text
        .chars()
        .map(|one| if one.is_ascii_digit() { '0' } else { one })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{value} is no time");
}

/// How many client ids were made so far.
static SAID: AtomicU64 = AtomicU64::new(1);

/// A person's device with an open WebSocket.
#[derive(Debug)]
pub struct Device {
    pub person: ApiPerson,
    /// What the server answered to hello.
    pub hello: Value,
    socket: Socket,
}

impl Deref for Device {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.socket
    }
}

impl DerefMut for Device {
    fn deref_mut(&mut self) -> &mut Socket {
        &mut self.socket
    }
}

impl Device {
    /// A client id that nobody in this test has used.
    pub fn client_id(&self) -> String {
        let number = SAID.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number}", self.person.session_id)
    }

    /// Sends over the WebSocket; the place, or how it was refused.
    pub fn try_send_to(&mut self, to: &Value, client_id: &str, what: &Value) -> Result<u64, Value> {
        let fields = json!({"to": to, "client_id": client_id, "segments": what});
        let stored = self.socket.ask("message.send", fields)?;
        assert_eq!(stored["client_id"], *client_id);
        time(&stored["time"]);
        Ok(seq(&stored))
    }

    /// Sends a text to a conversation; its place.
    pub fn say(&mut self, conversation: &str, words: &str) -> u64 {
        let client_id = self.client_id();
        let to = json!({"conversation": conversation});
        self.try_send_to(&to, &client_id, &segments(words))
            .unwrap_or_else(|error| panic!("{words}: {error}"))
    }

    /// The next message, whoever wrote it; other events stay for later.
    pub fn message(&mut self) -> Value {
        let event = self.socket.find_event("message");
        let message = event["message"].clone();
        assert_eq!(event["conversation"], message["conversation"], "{event}");
        assert_eq!(event["seq"], message["seq"], "{event}");
        time(&message["time"]);
        message
    }

    /// The next messages in this conversation have these texts.
    pub fn hears(&mut self, conversation: &str, texts: &[&str]) {
        for wanted in texts {
            let event = self.socket.find(|event| {
                event["event"] == "message" && event["conversation"] == *conversation
            });
            assert_eq!(said(&event["message"]), *wanted, "in order: {event}");
        }
    }

    /// This device holds everything up to here, and the server knows it.
    pub fn ack(&mut self, conversation: &str, seq: u64) {
        let fields = json!({"conversation": conversation, "seq": seq});
        self.socket.ok("ack", fields);
    }

    /// Acknowledges everything that came.
    pub fn ack_all(&mut self) {
        let heads: Vec<_> = self.socket.heads().clone().into_iter().collect();
        for (conversation, seq) in heads {
            self.ack(&conversation, seq);
        }
    }

    /// Waits until this connection has been told of everything that others wrote, in every
    /// conversation of the list. What this device wrote itself it need not be told of.
    pub fn catch_up(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        for conversation in self.person.conversations() {
            let id = text(&conversation["id"]);
            let newest = self
                .person
                .get(&format!("/conversations/{id}/messages?limit=100"))
                .ok(200);
            let items = newest["items"].as_array().expect("a list").iter();
            let others = items.filter(|one| one["sender"] != *self.person.user_id);
            if let Some(last) = others.map(seq).max() {
                self.reach(&id, last, deadline);
            }
        }
    }

    fn reach(&mut self, conversation: &str, last: u64, deadline: Instant) {
        while self.socket.reached(conversation) < last {
            if let Err(silence) = self.socket.pump(deadline) {
                panic!(
                    "{}: {conversation} is not told up to {last}: {silence:?}, {:?}",
                    self.person.name,
                    self.socket.heads()
                );
            }
        }
    }

    /// The server signs this device out.
    pub fn is_signed_out(&mut self) {
        self.socket.closed_with(4002);
    }

    /// Leaves; what was heard so far, for [`Socket::resume`].
    pub fn leave(self) -> BTreeMap<String, u64> {
        let heads = self.socket.heads().clone();
        self.socket.close();
        heads
    }

    /// Cuts the connection without a word.
    pub fn cut(self) {
        // An error means that the other side was faster.
        let _ = self.socket.stream().shutdown(std::net::Shutdown::Both);
    }
}

/// Whether a connection has ended, however.
pub fn ended(silence: &Silence) -> bool {
    *silence != Silence::TimedOut
}
