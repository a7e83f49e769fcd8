//! Messages, as they are now.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ConversationId, KnownSegment, Mentioned, Segment, Seq, UserId, decimal, time};

/// A message, or something that the server says in a group ([`Message::notice`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    #[serde(with = "decimal")]
    pub conversation: ConversationId,
    pub seq: Seq,
    #[serde(with = "decimal")]
    pub sender: UserId,
    #[serde(with = "time")]
    pub time: Timestamp,
    pub client_id: String,
    /// Empty for a message that was taken back, and for a notice.
    pub segments: Vec<Segment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// Where a forwarded message came from: `{user_id, nickname}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded_from: Option<Map<String, Value>>,
    #[serde(
        default,
        with = "time::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub edited_at: Option<Timestamp>,
    #[serde(
        default,
        with = "time::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub recalled_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// What happened in the group: an object with a `type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Map<String, Value>>,
}

impl Message {
    /// What it says, as one text: pictures and the like as words in brackets.
    pub fn text(&self) -> String {
        text_of(&self.segments)
    }
}

/// What segments say, as one text. A picture is `[picture]`, a file `[file: name]`, a type that this
/// version does not know `[type]`; a space stands between these and other words.
pub fn text_of(segments: &[Segment]) -> String {
    let mut text = String::new();
    let mut was_apart = false;
    for segment in segments {
        let (piece, is_apart) = (one(segment), is_apart(segment));
        let touches = !text.is_empty() && !text.ends_with(char::is_whitespace);
        if (was_apart || is_apart) && touches && !piece.starts_with(char::is_whitespace) {
            text.push(' ');
        }
        text.push_str(&piece);
        was_apart = is_apart;
    }
    text
}

/// Whether it stands beside a text instead of in it: writers put no space around it.
fn is_apart(segment: &Segment) -> bool {
    !matches!(
        segment,
        Segment::Known(
            KnownSegment::Text { .. } | KnownSegment::Face { .. } | KnownSegment::Mention { .. }
        )
    )
}

fn one(segment: &Segment) -> String {
    match segment {
        Segment::Known(KnownSegment::Text { text }) => text.clone(),
        Segment::Known(KnownSegment::Face { id }) => format!("[face {id}]"),
        Segment::Known(KnownSegment::Image { name, .. }) => match name {
            Some(name) => format!("[picture: {name}]"),
            None => "[picture]".to_owned(),
        },
        Segment::Known(KnownSegment::File { name, .. }) => format!("[file: {name}]"),
        Segment::Known(KnownSegment::Nudge {}) => "[nudge]".to_owned(),
        Segment::Known(KnownSegment::Mention { user_id }) => match user_id {
            Mentioned::User(user) => format!("@{user}"),
            Mentioned::All => "@all".to_owned(),
        },
        Segment::Known(KnownSegment::Custom { .. }) => "[custom]".to_owned(),
        Segment::Unknown(object) => match object.get("type").and_then(Value::as_str) {
            Some(kind) => format!("[{kind}]"),
            None => "[?]".to_owned(),
        },
    }
}

/// One emoji under a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    pub emoji: String,
    pub count: u64,
    /// The first 20 of them.
    #[serde(with = "decimal::list")]
    pub users: Vec<UserId>,
}

/// A piece of a list. `next` leads to the piece behind it; `None` behind the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    #[serde(default)]
    pub next: Option<Value>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stands_beside_a_text_does_not_stick_to_it() {
        let segments: Vec<Segment> = serde_json::from_value(json!([
            {"type": "nudge"},
            {"type": "text", "text": "look, "},
            {"type": "mention", "user_id": "2"},
            {"type": "text", "text": ", here"},
            {"type": "poll"},
            {"type": "poll"},
            {"type": "text", "text": "\nor there"},
        ]))
        .unwrap();
        assert_eq!(
            text_of(&segments),
            "[nudge] look, @2, here [poll] [poll]\nor there"
        );
    }
}
