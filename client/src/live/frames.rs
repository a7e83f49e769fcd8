//! The JSON of a connection: requests, answers, events.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client::Backlog;
use super::event::{EntryContent, Passing};
use super::sending::Target;
use crate::error::Problem;
use crate::model::{
    Conversation, ConversationId, Message, Notice, Presence, Segment, Seq, SessionId, Status,
    Timestamp, UserId, decimal,
};

/// Longer than this no server makes its clients wait when it stops.
const DRAINING_WAIT_MAX: Duration = Duration::from_secs(600);
/// Names of events that have a conversation and perhaps a `seq`, and are no entries.
const PASSING: [&str; 7] = [
    "typing",
    "read",
    "delivered",
    "presence",
    "head",
    "conversation",
    "session.revoked",
];

#[derive(Serialize)]
struct Request<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    op: &'a str,
    #[serde(flatten)]
    fields: T,
}

fn write(id: Option<u64>, op: &str, fields: impl Serialize) -> String {
    // Texts, numbers, lists and JSON values can always be written.
    serde_json::to_string(&Request { id, op, fields }).unwrap_or_default()
}

#[derive(Serialize)]
struct Hello<'a> {
    token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<&'a str>,
    backlog: &'a str,
    status: Status,
}

pub(super) fn hello(
    id: u64,
    token: &str,
    epoch: Option<&str>,
    backlog: Backlog,
    status: Status,
) -> String {
    let hello = Hello {
        token,
        epoch,
        backlog: match backlog {
            Backlog::All => "all",
            Backlog::Recent => "recent",
        },
        status,
    };
    write(Some(id), "hello", hello)
}

#[derive(Serialize)]
struct Send<'a> {
    to: Target,
    client_id: &'a str,
    segments: &'a [Segment],
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<Seq>,
}

pub(super) fn send(id: u64, outgoing: &crate::store::Outgoing) -> String {
    let send = Send {
        to: outgoing.to,
        client_id: &outgoing.client_id,
        segments: &outgoing.segments,
        reply_to: outgoing.reply_to,
    };
    write(Some(id), "message.send", send)
}

#[derive(Serialize)]
struct Place {
    #[serde(with = "decimal")]
    conversation: ConversationId,
    seq: Seq,
}

pub(super) fn ack(id: Option<u64>, conversation: ConversationId, seq: Seq) -> String {
    write(id, "ack", Place { conversation, seq })
}

pub(super) fn read_mark(id: u64, conversation: ConversationId, seq: Seq) -> String {
    write(Some(id), "read", Place { conversation, seq })
}

#[derive(Serialize)]
struct Where {
    #[serde(with = "decimal")]
    conversation: ConversationId,
}

pub(super) fn typing(conversation: ConversationId) -> String {
    write(None, "typing", Where { conversation })
}

pub(super) fn open(id: u64, conversation: ConversationId) -> String {
    write(Some(id), "conversation.open", Where { conversation })
}

pub(super) fn close(id: u64, conversation: ConversationId) -> String {
    write(Some(id), "conversation.close", Where { conversation })
}

pub(super) fn set_status(id: u64, status: Status) -> String {
    #[derive(Serialize)]
    struct Seen {
        status: Status,
    }
    write(Some(id), "presence.set", Seen { status })
}

pub(super) fn watch(id: u64, users: &[UserId]) -> String {
    #[derive(Serialize)]
    struct Watched<'a> {
        #[serde(with = "decimal::list")]
        user_ids: &'a [UserId],
    }
    write(Some(id), "presence.watch", Watched { user_ids: users })
}

pub(super) fn ping(id: u64) -> String {
    #[derive(Serialize)]
    struct Nothing {}
    write(Some(id), "ping", Nothing {})
}

/// What a server says.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    Answer {
        id: u64,
        result: Result<Value, Problem>,
    },
    Entry {
        conversation: ConversationId,
        seq: Seq,
        content: EntryContent,
    },
    Passing(Passing),
    /// The server stops; come back after this time.
    Draining(Duration),
}

/// Reads a frame; `None` for what no myim server says.
pub(super) fn read(text: &str) -> Option<Frame> {
    let mut frame: Map<String, Value> = serde_json::from_str(text).ok()?;
    match frame.remove("event") {
        Some(Value::String(name)) => Some(event(name, frame)),
        Some(_) => None,
        None => answer(frame),
    }
}

fn answer(mut frame: Map<String, Value>) -> Option<Frame> {
    let id = frame.get("id")?.as_u64()?;
    let result = match (frame.remove("ok"), frame.remove("error")) {
        (Some(ok), None) => Ok(ok),
        (None, Some(error)) => Err(serde_json::from_value(error).ok()?),
        _ => return None,
    };
    Some(Frame::Answer { id, result })
}

fn event(name: String, mut fields: Map<String, Value>) -> Frame {
    if name == "server.draining" {
        let told = fields.get("reconnect_after_ms").and_then(Value::as_u64);
        let wait = Duration::from_millis(told.unwrap_or_default());
        return Frame::Draining(wait.min(DRAINING_WAIT_MAX));
    }
    let place = Value::Object(fields.clone());
    let place = (!PASSING.contains(&name.as_str()))
        .then(|| serde_json::from_value::<EntryPlace>(place).ok())
        .flatten();
    match place {
        Some(EntryPlace { conversation, seq }) => {
            fields.remove("conversation");
            fields.remove("seq");
            let content = content(&name, &mut fields).unwrap_or_else(|| notice(name, fields));
            Frame::Entry {
                conversation,
                seq,
                content,
            }
        }
        None => Frame::Passing(passing(name, fields)),
    }
}

#[derive(Deserialize)]
struct EntryPlace {
    #[serde(with = "decimal")]
    conversation: ConversationId,
    seq: Seq,
}

fn content(name: &str, fields: &mut Map<String, Value>) -> Option<EntryContent> {
    let message = |fields: &Map<String, Value>| -> Option<Message> {
        Message::deserialize(fields.get("message")?).ok()
    };
    match name {
        "message" => message(fields).map(EntryContent::Message),
        "message.updated" => message(fields).map(EntryContent::MessageUpdated),
        _ => None,
    }
}

/// What is no message. An entry that this version cannot read, of a newer server, is one too: it
/// has its place and must be confirmed like all others.
fn notice(name: String, mut fields: Map<String, Value>) -> EntryContent {
    let time = fields.remove("time");
    let sender = fields.remove("sender");
    let time = time.and_then(|time| serde_json::from_value(time).ok());
    let sender = sender.as_ref().and_then(Value::as_str);
    EntryContent::Notice(Notice {
        name,
        time: time.unwrap_or(Timestamp::UNIX_EPOCH),
        sender: sender.and_then(UserId::from_decimal).unwrap_or(UserId(0)),
        fields,
    })
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Known {
    Typing {
        #[serde(with = "decimal")]
        conversation: ConversationId,
        #[serde(with = "decimal")]
        user_id: UserId,
    },
    Read {
        #[serde(with = "decimal")]
        conversation: ConversationId,
        #[serde(with = "decimal")]
        user_id: UserId,
        seq: Seq,
    },
    Delivered {
        #[serde(with = "decimal")]
        conversation: ConversationId,
        #[serde(with = "decimal")]
        user_id: UserId,
        seq: Seq,
    },
    Presence(Presence),
    Head {
        #[serde(with = "decimal")]
        conversation: ConversationId,
        last_seq: Seq,
    },
    Conversation {
        #[serde(with = "decimal")]
        conversation: ConversationId,
        summary: Box<Conversation>,
        skipped: Skipped,
    },
}

#[derive(Deserialize)]
struct Skipped {
    after: Seq,
    until: Seq,
}

fn passing(name: String, mut fields: Map<String, Value>) -> Passing {
    fields.insert("event".to_owned(), Value::String(name.clone()));
    let known = Known::deserialize(&Value::Object(fields.clone()));
    fields.remove("event");
    match known {
        Ok(Known::Typing {
            conversation,
            user_id,
        }) => Passing::Typing {
            conversation,
            user: user_id,
        },
        Ok(Known::Read {
            conversation,
            user_id,
            seq,
        }) => Passing::Read {
            conversation,
            user: user_id,
            seq,
        },
        Ok(Known::Delivered {
            conversation,
            user_id,
            seq,
        }) => Passing::Delivered {
            conversation,
            user: user_id,
            seq,
        },
        Ok(Known::Presence(presence)) => Passing::Presence(presence),
        Ok(Known::Head {
            conversation,
            last_seq,
        }) => Passing::Head {
            conversation,
            last_seq,
        },
        Ok(Known::Conversation {
            conversation,
            summary,
            skipped,
        }) => Passing::Conversation {
            conversation,
            summary,
            skipped: (skipped.after, skipped.until),
        },
        Err(_) => Passing::Other { name, fields },
    }
}

/// The answer to `hello`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Welcome {
    pub(super) user: UserId,
    pub(super) username: Option<String>,
    pub(super) session: SessionId,
    pub(super) heartbeat: Duration,
    pub(super) epoch: String,
    pub(super) resync: bool,
}

pub(super) fn welcome(answer: &Value) -> Option<Welcome> {
    #[derive(Deserialize)]
    struct Answer {
        user: Somebody,
        #[serde(with = "decimal")]
        session_id: SessionId,
        heartbeat: u64,
        epoch: String,
        #[serde(default)]
        resync: bool,
    }
    #[derive(Deserialize)]
    struct Somebody {
        #[serde(with = "decimal")]
        id: UserId,
        #[serde(default)]
        username: Option<String>,
    }
    let answer = Answer::deserialize(answer).ok()?;
    Some(Welcome {
        user: answer.user.id,
        username: answer.user.username,
        session: answer.session_id,
        heartbeat: Duration::from_secs(answer.heartbeat.clamp(1, 3600)),
        epoch: answer.epoch,
        resync: answer.resync,
    })
}

/// The answer to `presence.watch`.
pub(super) fn presences(answer: &Value) -> Vec<Presence> {
    let items = answer.get("items").and_then(Value::as_array);
    let items = items.into_iter().flatten();
    items
        .filter_map(|item| Presence::deserialize(item).ok())
        .collect()
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
