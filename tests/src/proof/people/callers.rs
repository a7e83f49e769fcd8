//! Those who speak HTTP: somebody who posts messages one after the other, somebody who uploads
//! files, and somebody who takes a member out of a group and back.

use serde_json::{Value, json};

use super::talker::{may_pass, text_of};
use super::{GLANCE, Stage};
use crate::api_person::segments;
use crate::courier::{Courier, Reply};
use crate::dice::Dice;
use crate::files::sha256;
use crate::proof::history::Event;
use crate::transfer::content;

/// The largest file of a storm.
const FILE_BYTES_MAX: u64 = 60_000;
/// How much happens between two changes of the members.
const MEMBERSHIP_EVENTS: usize = 150;

/// Posts messages, each until it is answered.
#[derive(Debug)]
pub struct Poster<'s> {
    pub stage: &'s Stage,
    pub device: String,
    pub token: String,
    said: u64,
}

impl<'s> Poster<'s> {
    pub fn new(stage: &'s Stage, device: &str, token: &str) -> Self {
        Self {
            stage,
            device: device.to_owned(),
            token: token.to_owned(),
            said: 0,
        }
    }

    /// As long as the storm lasts.
    pub fn run(mut self, conversation: &str) {
        while self.stage.is_storm() {
            if self.say(conversation).is_none() {
                break;
            }
        }
        self.stage.is_done();
    }

    /// Says one thing, and what it is called; nothing if the server will not come back.
    pub fn say(&mut self, conversation: &str) -> Option<String> {
        self.said += 1;
        let text = format!("{} posts {} of {}", self.device, self.said, self.stage.seed);
        let client_id = format!("{}-{}", self.device.replace('/', "-"), self.said);
        let content = sha256(text.as_bytes());
        let body = json!({"client_id": client_id, "segments": segments(&text)}).to_string();
        let path = format!("/api/v1/conversations/{conversation}/messages");
        let courier = Courier {
            address: self.stage.chat,
            token: self.token.clone(),
        };
        let json = [("content-type", "application/json")];
        while !self.stage.is_abandoned() {
            self.stage.recorder.note(Event::Sending {
                device: self.device.clone(),
                conversation: conversation.to_owned(),
                client_id: Some(client_id.clone()),
                content: content.clone(),
            });
            let Ok(reply) = courier.ask(("POST", &path), &json, body.as_bytes(), || {}) else {
                self.stage.pause();
                continue;
            };
            let answer = read(&reply);
            let code = text_of(&answer["code"]);
            if reply.status >= 500 || may_pass(&code) {
                self.stage.pause();
                continue;
            }
            self.stage.recorder.note(if reply.status < 300 {
                Event::Acknowledged {
                    device: self.device.clone(),
                    conversation: text_of(&answer["conversation"]),
                    client_id: Some(text_of(&answer["client_id"])),
                    content: content.clone(),
                    seq: answer["seq"].as_u64(),
                }
            } else {
                Event::Refused {
                    device: self.device.clone(),
                    conversation: conversation.to_owned(),
                    client_id,
                    code,
                }
            });
            return Some(content);
        }
        None
    }
}

fn read(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
}

/// Uploads one file after the other, as long as the storm lasts.
pub fn upload(stage: &Stage, token: &str, number: u64) {
    let mut dice = Dice::new(stage.seed, 300 + number);
    let courier = Courier {
        address: stage.file,
        token: token.to_owned(),
    };
    while stage.is_storm() {
        let length = dice.from(1, FILE_BYTES_MAX);
        let bytes = content(usize::try_from(length).unwrap_or(1), dice.next());
        match courier.ask(("POST", "/files"), &[], &bytes, || {}) {
            Ok(reply) if [200, 201].contains(&reply.status) => {
                stage.recorder.note(Event::Uploaded {
                    file: text_of(&read(&reply)["file"]),
                    bytes: length,
                });
            }
            _ => stage.pause(),
        }
    }
    stage.is_done();
}

/// Takes somebody out of a group and back, again and again; he is a member in the end.
pub fn change_members(stage: &Stage, token: &str, group: &str, user: &str) {
    let path = format!("/api/v1/groups/{group}/members/{user}");
    let courier = Courier {
        address: stage.chat,
        token: token.to_owned(),
    };
    let json = [("content-type", "application/json")];
    let mut is_member = true;
    while !stage.is_abandoned() && (stage.is_storm() || !is_member) {
        let enough = stage.recorder.length() + MEMBERSHIP_EVENTS;
        while stage.is_storm() && stage.recorder.length() < enough {
            stage.recorder.grows_by(1, GLANCE);
        }
        let (method, body) = match is_member {
            true => ("DELETE", &b""[..]),
            false => ("PUT", &b"{}"[..]),
        };
        match courier.ask((method, &path), &json, body, || {}) {
            // Refused means that an earlier try was carried out and its answer lost.
            Ok(reply) if reply.status < 500 && reply.status != 429 => is_member = !is_member,
            _ => stage.pause(),
        }
    }
    stage.is_done();
}
