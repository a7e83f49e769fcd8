//! From log entries and events to packets.

use bytes::Bytes;
use common::api::{Body, Entry, Notice};
use common::id::{ConvKind, Millis, Peer};
use common::wire::chat::Packet;
use common::wire::{command, json};
use serde_json::Value;

use super::link::encoded;
use super::packets::{self, FriendStep};
use crate::hub::{ClientKind, Event, Session};
use crate::log::TailEntry;

/// What a session shows of an entry.
pub(super) enum Shown {
    /// A finished packet, the same for every receiver.
    Shared(Bytes),
    Own(Packet),
    /// The device knows it already, or its protocol has no words for it.
    Nothing,
}

/// Translates an entry. `since` is when the session began: changes of contacts and groups before
/// that are in the lists that every client loads after its login.
pub(super) fn show(held: &TailEntry, session: &Session, since: Millis, seq: i32) -> Shown {
    let entry = &held.entry;
    let is_own = entry.origin.user == session.user;
    if is_own && entry.origin.device == session.device() {
        return Shown::Nothing;
    }
    match &entry.body {
        // A PC shows a copy of one's own message as sent; Android would show it as received.
        Body::Message { .. } if is_own && session.kind != ClientKind::Pc => Shown::Nothing,
        Body::Message { content, .. } => Shown::Shared(
            held.packet
                .get_or_init(|| message(entry, content).unwrap_or_default())
                .clone(),
        ),
        Body::Notice(notice) => show_notice(entry, notice, since, seq),
    }
}

fn show_notice(entry: &Entry, notice: &Notice, since: Millis, seq: i32) -> Shown {
    let sender = Peer::User(entry.origin.user);
    let tag = entry.origin.tag;
    let is_news = entry.origin.at >= since;
    match notice {
        Notice::FriendRequested { username } => Shown::Own(packets::friend_step(
            tag,
            sender,
            username,
            FriendStep::Requested,
        )),
        Notice::FriendAnswered { username, accepted } => {
            let step = FriendStep::Answered(i32::from(*accepted));
            Shown::Own(packets::friend_step(tag, sender, username, step))
        }
        Notice::FriendRemoved { username } if is_news => Shown::Own(packets::friend_step(
            tag,
            sender,
            username,
            FriendStep::Removed,
        )),
        Notice::ContactsChanged { peer } if is_news => Shown::Own(packets::changed(seq, *peer)),
        Notice::GroupCreated { .. } | Notice::MemberJoined | Notice::MemberLeft if is_news => {
            match entry.conv.kind() {
                Some(ConvKind::Group(group)) => {
                    Shown::Own(packets::changed(seq, Peer::Group(group)))
                }
                Some(ConvKind::Direct(..) | ConvKind::Inbox(_)) | None => Shown::Nothing,
            }
        }
        Notice::FriendRemoved { .. }
        | Notice::ContactsChanged { .. }
        | Notice::GroupCreated { .. }
        | Notice::MemberJoined
        | Notice::MemberLeft => Shown::Nothing,
    }
}

/// A chat message as every receiver gets it; `None` if what is stored is no chat JSON.
fn message(entry: &Entry, content: &[u8]) -> Option<Bytes> {
    let data = rewrite(content, entry.origin.at)?;
    let sender = entry.origin.user.0;
    let target = match entry.conv.kind()? {
        ConvKind::Group(group) => group.0,
        ConvKind::Direct(a, b) if a.0 == sender => b.0,
        ConvKind::Direct(a, _) => a.0,
        ConvKind::Inbox(user) => user.0,
    };
    let mut trailing = Vec::with_capacity(8);
    trailing.extend(packets::signed(sender).to_be_bytes());
    trailing.extend(packets::signed(target).to_be_bytes());
    let packet = Packet {
        command: command::CHAT,
        seq: entry.origin.tag,
        data: data.into(),
        trailing: trailing.into(),
    };
    Some(encoded(&packet).into())
}

/// What the server changes in a chat message: its time is the server's, in seconds, and the JSON
/// is written anew. `None` if it is no JSON object.
pub(super) fn rewrite(content: &[u8], at: Millis) -> Option<Vec<u8>> {
    let mut object = json::object(content)?;
    object.insert("time".to_owned(), Value::from(at.seconds()));
    serde_json::to_vec(&object).ok()
}

/// Translates an event; `seq` is the session's own counter.
pub(super) fn event(event: &Event, seq: i32) -> Packet {
    match event {
        Event::Presence { user, presence } => packets::presence(seq, *user, *presence),
        Event::ProfileChanged { peer } => packets::changed(seq, *peer),
        Event::RemoteDesktop {
            tag,
            header,
            frame,
            to,
        } => packets::remote_desktop(*tag, header, frame, *to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_gets_the_servers_time_and_keeps_everything_else() {
        let raw = "{\"msgType\":1,\"time\":1700000000,\"clientType\":1,\
                   \"content\":[{\"msgText\":\"a\r\n\tb\"}],\"new\":{\"x\":1.5}}";
        let written = rewrite(raw.as_bytes(), Millis(1_700_000_001_999)).unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            r#"{"clientType":1,"content":[{"msgText":"a\r\n\tb"}],"msgType":1,"new":{"x":1.5},"time":1700000001}"#
        );
        assert_eq!(rewrite(b"[]", Millis(0)), None);
        assert_eq!(rewrite(b"", Millis(0)), None);
    }
}
