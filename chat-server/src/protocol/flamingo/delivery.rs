//! From log entries and events to packets.

use std::sync::Arc;

use bytes::Bytes;
use common::api::{Body, Entry, Notice};
use common::id::{ConvKind, Millis, Peer};
use common::store::{Store, StoreError};
use common::wire::chat::Packet;
use common::wire::command;
use common::wire::translate::{UNREADABLE, notice};

use super::link::encoded;
use super::packets::{self, FriendStep};
use super::translate;
use crate::hub::{ClientKind, Event, Session};
use crate::log::TailEntry;

/// What a session shows of an entry.
pub(super) enum Shown {
    /// Finished packets, the same for every receiver.
    Shared(Arc<[Bytes]>),
    Own(Packet),
    /// The device knows it already, or its protocol has no words for it.
    Nothing,
}

/// Translates entries for one session.
pub(super) struct Viewer<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) session: &'a Session,
    /// When the session began: changes of contacts and groups before that are in the lists that
    /// every client loads after its login.
    pub(super) since: Millis,
    /// The session's own counter.
    pub(super) seq: i32,
}

impl Viewer<'_> {
    /// # Errors
    /// When the database cannot be asked for what the translation needs.
    pub(super) async fn show(&self, held: &TailEntry) -> Result<Shown, StoreError> {
        let entry = &held.entry;
        let is_own = entry.origin.user == self.session.actor.user;
        if is_own && entry.origin.device == self.session.device() {
            return Ok(Shown::Nothing);
        }
        match &entry.body {
            // A PC shows a copy of one's own message as sent; Android would show it as received.
            Body::Message { .. }
            | Body::Notice(
                Notice::MessageRecalled { .. }
                | Notice::MessageEdited { .. }
                | Notice::ReactionChanged { added: true, .. },
            ) => {
                if is_own && self.session.kind != ClientKind::Pc {
                    return Ok(Shown::Nothing);
                }
                self.messages(held).await.map(Shown::Shared)
            }
            Body::Notice(Notice::ContactsChanged {
                peer: peer @ Peer::Group(_),
            }) if !is_own && self.is_news(entry) => self.membership(entry, *peer).await,
            Body::Notice(notice) => Ok(self.notice(entry, notice)),
        }
    }

    /// An entry as chat messages, made by the first session that delivers it and used by all. What
    /// quotes another message is made for each: that one may be taken back in between.
    async fn messages(&self, held: &TailEntry) -> Result<Arc<[Bytes]>, StoreError> {
        if let Some(packets) = held.packets.get() {
            return Ok(Arc::clone(packets));
        }
        // Boxed because nearly every session is idle nearly always, and this would make all larger.
        let translated = Box::pin(translate::messages(self.store, &held.entry)).await?;
        let packets: Arc<[Bytes]> = translated
            .messages
            .into_iter()
            .filter_map(|message| chat(&held.entry, message))
            .map(|packet| encoded(&packet).into())
            .collect();
        if translated.quotes {
            return Ok(packets);
        }
        Ok(Arc::clone(held.packets.get_or_init(|| packets)))
    }

    /// An admin of a group made the user a member, or took him out: then the client is to do what
    /// it does when he leaves by himself.
    async fn membership(&self, entry: &Entry, group: Peer) -> Result<Shown, StoreError> {
        let peers = self.store.peers(self.session.actor.user).await?;
        Ok(Shown::Own(if peers.contains(&group) {
            packets::changed(self.seq, group)
        } else {
            group_step(entry.origin.tag, group, FriendStep::Removed)
        }))
    }

    fn is_news(&self, entry: &Entry) -> bool {
        entry.origin.at >= self.since
    }

    fn notice(&self, entry: &Entry, notice: &Notice) -> Shown {
        let sender = Peer::User(entry.origin.user);
        let tag = entry.origin.tag;
        let is_news = self.is_news(entry);
        let friend =
            |username: &str, step| Shown::Own(packets::friend_step(tag, sender, username, step));
        match notice {
            // The clients have no place for a note.
            Notice::FriendRequested { username, .. } => friend(username, FriendStep::Requested),
            Notice::FriendAnswered { username, accepted } => {
                friend(username, FriendStep::Answered(i32::from(*accepted)))
            }
            Notice::FriendRemoved { username } if is_news => friend(username, FriendStep::Removed),
            Notice::ContactsChanged { peer } if is_news => {
                Shown::Own(packets::changed(self.seq, *peer))
            }
            Notice::MemberRemoved { user } if is_news && *user == self.session.actor.user => {
                group_of(entry).map_or(Shown::Nothing, |group| {
                    Shown::Own(group_step(tag, group, FriendStep::Removed))
                })
            }
            Notice::GroupCreated { .. }
            | Notice::MemberJoined
            | Notice::MemberLeft
            | Notice::MemberAdded { .. }
            | Notice::MemberRemoved { .. }
            | Notice::OwnerChanged { .. }
            | Notice::GroupChanged { .. }
                if is_news =>
            {
                group_of(entry).map_or(Shown::Nothing, |group| {
                    Shown::Own(packets::changed(self.seq, group))
                })
            }
            Notice::GroupDissolved { group, .. } if is_news => {
                Shown::Own(group_step(tag, Peer::Group(*group), FriendStep::Removed))
            }
            Notice::JoinAnswered { group, accepted } => {
                // 3 says "joined a group", as in the answer to a request that needs nobody's yes.
                let step = FriendStep::Answered(if *accepted { 3 } else { 0 });
                Shown::Own(group_step(tag, Peer::Group(*group), step))
            }
            Notice::FriendRemoved { .. }
            | Notice::ContactsChanged { .. }
            | Notice::GroupCreated { .. }
            | Notice::MemberJoined
            | Notice::MemberLeft
            | Notice::MemberAdded { .. }
            | Notice::MemberRemoved { .. }
            | Notice::OwnerChanged { .. }
            | Notice::GroupChanged { .. }
            | Notice::GroupDissolved { .. }
            // The clients show neither roles nor names of their own in a group.
            | Notice::MemberChanged { .. }
            // They would take it for a request to be a friend, and answer that.
            | Notice::JoinRequested { .. }
            | Notice::MessageRecalled { .. }
            | Notice::MessageEdited { .. }
            | Notice::ReactionChanged { .. } => Shown::Nothing,
        }
    }
}

/// The group in whose conversation an entry stands.
fn group_of(entry: &Entry) -> Option<Peer> {
    match entry.conv.kind() {
        Some(ConvKind::Group(group)) => Some(Peer::Group(group)),
        Some(ConvKind::Direct(..) | ConvKind::Inbox(_)) | None => None,
    }
}

/// To the clients a group is a contact whose user name is its number.
fn group_step(tag: i32, group: Peer, step: FriendStep) -> Packet {
    packets::friend_step(tag, group, &group.number().to_string(), step)
}

/// A chat message as every receiver gets it.
fn chat(entry: &Entry, message: Vec<u8>) -> Option<Packet> {
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
    Some(Packet {
        command: command::CHAT,
        seq: entry.origin.tag,
        data: message.into(),
        trailing: trailing.into(),
    })
}

/// What is shown of an entry for which the database holds something that nobody can read.
pub(super) fn unreadable(entry: &Entry, session: &Session) -> Shown {
    let is_own = entry.origin.user == session.actor.user;
    if is_own || !matches!(entry.body, Body::Message { .. }) {
        return Shown::Nothing;
    }
    let words = notice(UNREADABLE, entry.origin.at);
    chat(entry, words).map_or(Shown::Nothing, Shown::Own)
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
#[path = "delivery_tests.rs"]
mod tests;
