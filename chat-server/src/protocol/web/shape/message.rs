//! The JSON of a message: of history, of search hits and of events.
//!
//! It does not depend on who looks at it, so that one encoding serves all receivers.

use common::api::{Body, Dialect, Entry, Segment, SegmentedContent};
use common::id::Millis;
use common::store::StoreError;
use common::store::message::Reaction;
use serde::Serialize;
use utoipa::ToSchema;

use super::Timestamp;
use super::notice::{self, Notice};
use super::segment::SegmentSchema;
use crate::app::App;
use crate::content::{self, Current};

/// A message, or something that the server says in a group.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Message {
    /// The conversation it stands in.
    #[schema(pattern = "^[1-9][0-9]{0,18}$", examples("1152921507827974153"))]
    pub(crate) conversation: String,
    /// Its place there: 1, 2, 3, …
    #[schema(minimum = 1, examples(17))]
    pub(crate) seq: u64,
    /// The user who wrote it or caused it.
    #[schema(pattern = "^[1-9][0-9]{0,8}$", examples("7"))]
    pub(crate) sender: String,
    /// When the server saved it.
    #[schema(format = DateTime, examples("2026-01-31T12:00:00.000Z"))]
    pub(crate) time: String,
    /// The sender's own name for it.
    pub(crate) client_id: String,
    /// What it says now. Empty for a message that was taken back, and for a notice.
    #[schema(value_type = Vec<SegmentSchema>)]
    pub(crate) segments: Vec<Segment>,
    /// The message of the same conversation that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub(crate) reply_to: Option<u64>,
    /// Where a forwarded message came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) forwarded_from: Option<ForwardedFrom>,
    /// When it was edited last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    pub(crate) edited_at: Option<String>,
    /// When it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    pub(crate) recalled_at: Option<String>,
    /// In the order in which the first of each came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) reactions: Vec<ReactionCount>,
    /// What happened in the group. Such an entry has no segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) notice: Option<Notice>,
}

/// Who had written a message that was forwarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ForwardedFrom {
    #[schema(pattern = "^[1-9][0-9]{0,8}$", examples("7"))]
    pub(crate) user_id: String,
    /// The nickname at that time.
    pub(crate) nickname: String,
}

/// One emoji under a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ReactionCount {
    #[schema(examples("👍"))]
    pub(crate) emoji: String,
    /// How many users reacted with it.
    #[schema(minimum = 1)]
    pub(crate) count: u64,
    /// The first 20 of them.
    pub(crate) users: Vec<String>,
}

/// The messages and notices among these entries, as they are now, in the same order. Entries that
/// say something new about an earlier message (see [`updated`]) and entries of inboxes are left
/// out.
///
/// # Errors
/// When the database cannot be asked.
pub(crate) async fn present(app: &App, entries: &[Entry]) -> Result<Vec<Message>, StoreError> {
    Ok(shown(
        entries,
        content::current(&*app.store, entries).await?,
    ))
}

/// As [`present`], for the last entries of their conversations.
///
/// # Errors
/// When the database cannot be asked.
pub(crate) async fn present_ends(app: &App, entries: &[Entry]) -> Result<Vec<Message>, StoreError> {
    Ok(shown(
        entries,
        content::untouched(&*app.store, entries).await?,
    ))
}

fn shown(entries: &[Entry], current: Vec<Current>) -> Vec<Message> {
    let mut current = current.into_iter();
    let shown = entries.iter().filter_map(|entry| match &entry.body {
        Body::Message { .. } => current.next().map(from_current),
        Body::Notice(notice) => from_notice(entry, notice),
    });
    shown.collect()
}

/// The message that this entry edits, recalls or reacts to, as it is now; `None` if the entry does
/// nothing of the kind. Who may read the entry may not always read the message: it may stand
/// before he became a member. The caller compares [`Message::seq`] with where the user begins.
///
/// # Errors
/// When the database cannot be asked.
pub(crate) async fn updated(app: &App, entry: &Entry) -> Result<Option<Message>, StoreError> {
    let mut messages = content::updated(&*app.store, std::slice::from_ref(entry)).await?;
    Ok(messages.pop().map(|(_, message)| from_current(message)))
}

/// A message or notice that was just committed, without asking the database; `None` for what
/// needs it: messages of another dialect, and what [`present`] leaves out.
pub(crate) fn fresh(entry: &Entry) -> Option<Message> {
    match &entry.body {
        Body::Message {
            dialect: Dialect::Segments,
            content,
        } => {
            let content = serde_json::from_slice(content).ok()?;
            Some(with_content(entry, content))
        }
        Body::Message { .. } => None,
        Body::Notice(notice) => from_notice(entry, notice),
    }
}

/// The JSON of a message as it is now.
pub(crate) fn from_current(message: Current) -> Message {
    let Current {
        entry,
        content,
        state,
    } = message;
    let mut shown = with_content(&entry, content);
    if let Some(state) = state {
        shown.edited_at = state.edited_at.map(time);
        shown.recalled_at = state.recalled_at.map(time);
        shown.reactions = state.reactions.iter().map(count).collect();
    }
    shown
}

fn with_content(entry: &Entry, content: SegmentedContent) -> Message {
    let forwarded_from = content.forwarded_from.map(|from| ForwardedFrom {
        user_id: from.user.to_string(),
        nickname: from.nickname,
    });
    Message {
        segments: content.segments,
        reply_to: content.reply_to.map(|seq| seq.0),
        forwarded_from,
        ..bare(entry)
    }
}

fn from_notice(entry: &Entry, notice: &common::api::Notice) -> Option<Message> {
    Some(Message {
        notice: Some(notice::of_group(notice)?),
        ..bare(entry)
    })
}

fn bare(entry: &Entry) -> Message {
    Message {
        conversation: entry.conv.to_string(),
        seq: entry.seq.0,
        sender: entry.origin.user.to_string(),
        time: time(entry.origin.at),
        client_id: entry.origin.client_id.as_str().to_owned(),
        segments: Vec::new(),
        reply_to: None,
        forwarded_from: None,
        edited_at: None,
        recalled_at: None,
        reactions: Vec::new(),
        notice: None,
    }
}

fn time(at: Millis) -> String {
    Timestamp(at).text()
}

fn count(reaction: &Reaction) -> ReactionCount {
    ReactionCount {
        emoji: reaction.emoji.clone(),
        count: reaction.count,
        users: reaction.users.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use common::api::{KnownSegment, Origin};
    use common::id::{ClientId, ConvId, DeviceId, Seq, UserId};
    use common::store::message::MessageState;
    use serde_json::json;

    use super::*;

    fn entry(body: Body) -> Entry {
        Entry {
            conv: ConvId::direct(UserId(3), UserId(9)),
            seq: Seq(17),
            origin: Origin {
                user: UserId(9),
                device: DeviceId(300),
                client_id: ClientId::new("a-1").unwrap(),
                tag: 0,
                at: Millis(1_767_225_600_123),
            },
            body,
        }
    }

    fn hello() -> Entry {
        let content = br#"{"segments":[{"type":"text","text":"hi"}],"reply_to":3}"#;
        entry(Body::Message {
            dialect: Dialect::Segments,
            content: Bytes::from_static(content),
        })
    }

    #[test]
    fn a_message_is_written_as_the_contract_says() {
        let shown = serde_json::to_value(fresh(&hello()).unwrap()).unwrap();
        let wanted = json!({
            "conversation": ConvId::direct(UserId(3), UserId(9)).to_string(),
            "seq": 17,
            "sender": "9",
            "time": "2026-01-01T00:00:00.123Z",
            "client_id": "a-1",
            "segments": [{"type": "text", "text": "hi"}],
            "reply_to": 3,
        });
        assert_eq!(shown, wanted);
    }

    #[test]
    fn what_happened_since_is_shown_and_few_names_are() {
        let users: Vec<UserId> = (1..=20).map(UserId).collect();
        let current = Current {
            entry: hello(),
            content: SegmentedContent::new(vec![KnownSegment::Nudge {}.into()]),
            state: Some(MessageState {
                seq: Seq(17),
                recalled_at: None,
                edited_at: Some(Millis(0)),
                segments: None,
                reactions: vec![Reaction {
                    emoji: "👍".to_owned(),
                    users,
                    count: 25,
                }],
            }),
        };
        let shown = from_current(current);
        assert_eq!(shown.edited_at.as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(shown.reactions[0].count, 25);
        assert_eq!(shown.reactions[0].users.len(), 20);
    }

    #[test]
    fn notices_of_groups_have_no_segments_and_those_of_inboxes_are_no_messages() {
        let added = common::api::Notice::MemberAdded { user: UserId(4) };
        let shown = serde_json::to_value(fresh(&entry(Body::Notice(added))).unwrap()).unwrap();
        assert_eq!(
            shown["notice"],
            json!({"type": "member_added", "user_id": "4"})
        );
        assert_eq!(shown["segments"], json!([]));
        let asked = common::api::Notice::FriendRequested {
            username: "ann".to_owned(),
            note: String::new(),
        };
        assert_eq!(fresh(&entry(Body::Notice(asked))), None);
        let recalled = common::api::Notice::MessageRecalled { seq: Seq(2) };
        assert_eq!(fresh(&entry(Body::Notice(recalled))), None);
    }
}
