//! The JSON of events, as WebSockets, event streams and `/sync` carry it.

use common::api::{Entry, Notice as Stored};
use common::id::{ConvId, ConvKind, GroupId, Peer, RequestId, Seq, UserId};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::conversation::Conversation;
use super::message::Message;
use super::{Decimal, Id, Timestamp, notice};
use crate::hub::Presence;
use crate::presence::Whereabouts;
use crate::walker::Skipped;

/// A message that was written, or what became of one.
#[derive(Serialize)]
struct OfMessage<'a> {
    event: &'static str,
    conversation: String,
    /// The event's own place; the message's stands in the message.
    seq: u64,
    message: &'a Message,
}

/// The event that a message is.
pub(crate) fn message(conv: ConvId, seq: Seq, message: &Message) -> Vec<u8> {
    of_message("message", conv, seq, message)
}

/// The event that says what a message is now.
pub(crate) fn message_updated(conv: ConvId, seq: Seq, message: &Message) -> Vec<u8> {
    of_message("message.updated", conv, seq, message)
}

fn of_message(event: &'static str, conv: ConvId, seq: Seq, message: &Message) -> Vec<u8> {
    let event = OfMessage {
        event,
        conversation: conv.to_string(),
        seq: seq.0,
        message,
    };
    // Texts, numbers and lists can always be written.
    serde_json::to_vec(&event).unwrap_or_default()
}

/// The event that a notice is; `None` for what is said of a message.
pub(crate) fn of_notice(entry: &Entry, notice: &Stored) -> Option<Vec<u8>> {
    let (name, about) = match entry.conv.kind()? {
        ConvKind::Group(group) => of_group(group, notice)?,
        ConvKind::Inbox(owner) => of_inbox(owner, entry.origin.user, notice)?,
        ConvKind::Direct(..) => return None,
    };
    let mut event = Map::new();
    event.insert("event".to_owned(), name.into());
    event.insert("conversation".to_owned(), entry.conv.to_string().into());
    event.insert("seq".to_owned(), entry.seq.0.into());
    let time = Timestamp(entry.origin.at).text();
    event.insert("time".to_owned(), time.into());
    event.insert("sender".to_owned(), entry.origin.user.to_string().into());
    event.extend(about);
    Some(Value::Object(event).to_string().into_bytes())
}

/// What happened in a group: the same words as in the group's history.
fn of_group(group: GroupId, stored: &Stored) -> Option<(String, Map<String, Value>)> {
    let shown = serde_json::to_value(notice::of_group(stored)?).ok()?;
    let Value::Object(mut about) = shown else {
        return None;
    };
    let kind = about.remove("type")?;
    let kind = kind.as_str()?;
    let kind = kind.strip_prefix("group_").unwrap_or(kind);
    about.insert("group_id".to_owned(), group.to_string().into());
    Some((format!("group.{kind}"), about))
}

fn of_inbox(
    owner: UserId,
    sender: UserId,
    notice: &Stored,
) -> Option<(String, Map<String, Value>)> {
    let (name, about) = match notice {
        Stored::FriendRequested { username, note } => {
            let request = RequestId {
                from: sender,
                to: owner,
            };
            let about = json!({
                "request_id": request.to_string(),
                "user_id": sender.to_string(),
                "username": username,
                "note": note,
            });
            ("contact.requested", about)
        }
        Stored::FriendAnswered { username, accepted } => (
            "contact.answered",
            json!({
                "user_id": sender.to_string(),
                "username": username,
                "accepted": accepted,
            }),
        ),
        Stored::FriendRemoved { username } => (
            "contact.removed",
            json!({"user_id": sender.to_string(), "username": username}),
        ),
        Stored::ContactsChanged { peer } => ("contact.changed", of_peer(*peer)),
        Stored::GroupDissolved { group, name } => (
            "group.dissolved",
            json!({"group_id": group.to_string(), "name": name}),
        ),
        Stored::JoinRequested { group, note } => (
            "group.join_requested",
            json!({
                "group_id": group.to_string(),
                "user_id": sender.to_string(),
                "note": note,
            }),
        ),
        Stored::JoinAnswered { group, accepted } => (
            "group.join_answered",
            json!({"group_id": group.to_string(), "accepted": accepted}),
        ),
        Stored::GroupCreated { .. }
        | Stored::MemberJoined
        | Stored::MemberLeft
        | Stored::MemberAdded { .. }
        | Stored::MemberRemoved { .. }
        | Stored::MemberChanged { .. }
        | Stored::OwnerChanged { .. }
        | Stored::GroupChanged { .. }
        | Stored::MessageRecalled { .. }
        | Stored::MessageEdited { .. }
        | Stored::ReactionChanged { .. } => return None,
    };
    match about {
        Value::Object(about) => Some((name.to_owned(), about)),
        _ => None,
    }
}

fn of_peer(peer: Peer) -> Value {
    match peer {
        Peer::User(user) => json!({"user_id": user.to_string()}),
        Peer::Group(group) => json!({"group_id": group.to_string()}),
    }
}

/// A large group moved; its entries are not sent.
pub(crate) fn head(conv: ConvId, head: Seq) -> String {
    json!({"event": "head", "conversation": conv.to_string(), "last_seq": head.0}).to_string()
}

/// What a conversation looks like, of which the client gets only the newest entries.
#[derive(Serialize)]
struct OfConversation<'a> {
    event: &'static str,
    conversation: String,
    summary: &'a Conversation,
    skipped: Range,
}

/// The entries behind `after` up to `until`.
#[derive(Serialize)]
struct Range {
    after: u64,
    until: u64,
}

/// The event that sums a conversation up and says which of its entries are not sent.
pub(crate) fn conversation(summary: &Conversation, skipped: &Skipped) -> String {
    let event = OfConversation {
        event: "conversation",
        conversation: skipped.conv.to_string(),
        summary,
        skipped: Range {
            after: skipped.after.0,
            until: skipped.until.0,
        },
    };
    // Texts, numbers and lists can always be written.
    serde_json::to_string(&event).unwrap_or_default()
}

pub(crate) fn typing(conv: ConvId, user: UserId) -> String {
    json!({"event": "typing", "conversation": conv.to_string(), "user_id": user.to_string()})
        .to_string()
}

/// How far somebody has read.
pub(crate) fn read(conv: ConvId, user: UserId, seq: Seq) -> String {
    mark("read", conv, user, seq)
}

pub(crate) fn delivered(conv: ConvId, user: UserId, seq: Seq) -> String {
    mark("delivered", conv, user, seq)
}

fn mark(event: &str, conv: ConvId, user: UserId, seq: Seq) -> String {
    json!({
        "event": event,
        "conversation": conv.to_string(),
        "user_id": user.to_string(),
        "seq": seq.0,
    })
    .to_string()
}

/// A contact's profile, or a group, looks different now.
pub(crate) fn profile_changed(peer: Peer) -> String {
    let (name, mut about) = match peer {
        Peer::User(_) => ("contact.profile_changed", of_peer(peer)),
        Peer::Group(_) => ("group.profile_changed", of_peer(peer)),
    };
    about["event"] = name.into();
    about.to_string()
}

/// Where a user is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Presence)]
pub(crate) struct Shown {
    #[schema(value_type = Id)]
    user_id: Decimal<UserId>,
    /// `online`, `away` or `offline`. Who hides looks off line.
    status: &'static str,
    /// `desktop`, `android` or `ios`, for who is on line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client: Option<&'static str>,
    /// When the user was last on line, for who is not and does not hide.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_seen: Option<Timestamp>,
}

impl Shown {
    fn new(user: UserId, presence: Presence) -> Self {
        let status = match (presence.is_visible(), presence.is_away) {
            (false, _) => "offline",
            (true, true) => "away",
            (true, false) => "online",
        };
        let client = match presence.client {
            1 | 4 => Some("desktop"),
            2 => Some("android"),
            3 => Some("ios"),
            _ => None,
        };
        Self {
            user_id: Decimal(user),
            status,
            client: client.filter(|_| presence.is_visible()),
            last_seen: None,
        }
    }
}

impl From<Whereabouts> for Shown {
    fn from(found: Whereabouts) -> Self {
        Self {
            last_seen: found.last_seen.map(Timestamp),
            ..Self::new(found.user, found.presence)
        }
    }
}

#[derive(Serialize)]
struct OfPresence {
    event: &'static str,
    #[serde(flatten)]
    shown: Shown,
}

pub(crate) fn presence(user: UserId, presence: Presence) -> String {
    let event = OfPresence {
        event: "presence",
        shown: Shown::new(user, presence),
    };
    // Texts can always be written.
    serde_json::to_string(&event).unwrap_or_default()
}

/// The device was signed out, or its sign-in is over.
pub(crate) fn session_revoked() -> String {
    json!({"event": "session.revoked"}).to_string()
}

/// The server is stopping; come back after this many milliseconds.
pub(crate) fn server_draining(reconnect_after_ms: u64) -> String {
    json!({"event": "server.draining", "reconnect_after_ms": reconnect_after_ms}).to_string()
}

#[cfg(test)]
mod tests {
    use common::api::{Body, Origin};
    use common::id::{ClientId, DeviceId, Millis};

    use super::*;

    fn event(conv: ConvId, notice: &Stored) -> Option<Value> {
        let entry = Entry {
            conv,
            seq: Seq(17),
            origin: Origin {
                user: UserId(9),
                device: DeviceId(300),
                client_id: ClientId::new("a").unwrap(),
                tag: 0,
                at: Millis(0),
            },
            body: Body::Notice(notice.clone()),
        };
        of_notice(&entry, notice).map(|text| serde_json::from_slice(&text).unwrap())
    }

    #[test]
    fn a_notice_is_named_by_what_it_is_about() {
        let group = GroupId(300_000_000);
        let shown = event(
            ConvId::group(group),
            &Stored::MemberAdded { user: UserId(4) },
        );
        let wanted = json!({
            "event": "group.member_added",
            "conversation": ConvId::group(group).to_string(),
            "seq": 17,
            "time": "1970-01-01T00:00:00.000Z",
            "sender": "9",
            "group_id": "300000000",
            "user_id": "4",
        });
        assert_eq!(shown, Some(wanted));
        let name = "crew".to_owned();
        let created = event(ConvId::group(group), &Stored::GroupCreated { name }).unwrap();
        assert_eq!(created["event"], "group.created");
        let recalled = Stored::MessageRecalled { seq: Seq(3) };
        assert_eq!(event(ConvId::group(group), &recalled), None);
    }

    #[test]
    fn a_request_comes_with_its_number() {
        let asked = Stored::FriendRequested {
            username: "ann".to_owned(),
            note: "hi".to_owned(),
        };
        let shown = event(ConvId::inbox(UserId(4)), &asked).unwrap();
        assert_eq!(shown["event"], "contact.requested");
        let request = RequestId {
            from: UserId(9),
            to: UserId(4),
        };
        assert_eq!(shown["request_id"], request.to_string());
        assert_eq!(shown["note"], "hi");
    }

    #[test]
    fn who_hides_looks_off_line() {
        let shown = |status, is_away| {
            let presence = Presence {
                status,
                client: 2,
                is_away,
            };
            serde_json::to_value(Shown::new(UserId(7), presence)).unwrap()
        };
        let offline = json!({"user_id": "7", "status": "offline"});
        assert_eq!(shown(0, false), offline);
        assert_eq!(shown(2, false), offline);
        let away = json!({"user_id": "7", "status": "away", "client": "android"});
        assert_eq!(shown(1, true), away);
    }
}
