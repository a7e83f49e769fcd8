//! What waits for a session.
//!
//! A mailbox holds no messages: only the set of conversations that changed, a few passing events
//! (presence and the like, dropped when they pile up), and whether to end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use common::id::{ConvId, Peer, Seq, UserId};

use super::session::{End, Presence};

/// How many passing events wait for a session at the most; more are dropped, oldest first.
pub(super) const EVENTS_MAX: usize = 256;
/// How many bytes of remote-desktop frames wait for a session at the most.
pub(super) const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How many presences, and how many typing and reading marks, wait for a session of the API at the
/// most; more are dropped.
pub const MARKS_MAX: usize = 1024;

/// Something that is told to whoever is on line and then forgotten.
#[derive(Clone, Debug)]
pub enum Event {
    /// A user came, went or changed his status.
    Presence { user: UserId, presence: Presence },
    /// A profile, or the members of a group, changed.
    ProfileChanged { peer: Peer },
    /// A frame of somebody's screen.
    RemoteDesktop {
        tag: i32,
        header: Bytes,
        frame: Bytes,
        to: UserId,
    },
}

/// Something about a conversation that passes, for sessions of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassingMark {
    /// Somebody is writing.
    Typing,
    /// Somebody has read up to here.
    Read(Seq),
    /// A device of somebody has everything up to here.
    Delivered(Seq),
}

/// What waits for a session.
#[derive(Debug, Default)]
pub struct Mailbox {
    /// Conversations with new entries.
    pub changed: BTreeSet<ConvId>,
    /// Conversations that are not the user's any more.
    pub lost: Vec<ConvId>,
    /// For existing clients.
    pub events: VecDeque<Event>,
    pub end: Option<End>,
    /// For sessions of the API: large groups that moved, and how far.
    pub heads: BTreeMap<ConvId, Seq>,
    /// For sessions of the API: the latest of each user.
    pub presences: BTreeMap<UserId, Presence>,
    pub typing: BTreeSet<(ConvId, UserId)>,
    pub reads: BTreeMap<(ConvId, UserId), Seq>,
    pub deliveries: BTreeMap<(ConvId, UserId), Seq>,
    pub profiles: BTreeSet<Peer>,
    frame_bytes: usize,
}

impl Mailbox {
    pub(super) fn push(&mut self, event: Event) {
        if let Event::RemoteDesktop { header, frame, .. } = &event {
            let bytes = header.len() + frame.len();
            if self.frame_bytes + bytes > FRAME_BYTES_MAX {
                return;
            }
            self.frame_bytes += bytes;
        }
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// A large group has got this far, or further.
    pub(super) fn note_head(&mut self, conv: ConvId, seq: Seq) {
        let head = self.heads.entry(conv).or_default();
        *head = seq.max(*head);
    }

    pub(super) fn note_presence(&mut self, user: UserId, presence: Presence) {
        if self.presences.len() < MARKS_MAX || self.presences.contains_key(&user) {
            self.presences.insert(user, presence);
        }
    }

    pub(super) fn note_profile(&mut self, peer: Peer) {
        if self.profiles.len() < MARKS_MAX {
            self.profiles.insert(peer);
        }
    }

    pub(super) fn note_mark(&mut self, conv: ConvId, user: UserId, mark: PassingMark) {
        let key = (conv, user);
        match mark {
            PassingMark::Typing if self.typing.len() < MARKS_MAX => {
                self.typing.insert(key);
            }
            PassingMark::Typing => {}
            PassingMark::Read(seq) => note_furthest(&mut self.reads, key, seq),
            PassingMark::Delivered(seq) => note_furthest(&mut self.deliveries, key, seq),
        }
    }

    /// What was left of this conversation is of no use any more.
    pub(super) fn lose(&mut self, conv: ConvId) {
        self.changed.remove(&conv);
        self.heads.remove(&conv);
        self.typing.retain(|(of, _)| *of != conv);
        self.reads.retain(|(of, _), _| *of != conv);
        self.deliveries.retain(|(of, _), _| *of != conv);
        if !self.lost.contains(&conv) {
            self.lost.push(conv);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
            && self.lost.is_empty()
            && self.events.is_empty()
            && self.end.is_none()
            && self.heads.is_empty()
            && self.presences.is_empty()
            && self.typing.is_empty()
            && self.reads.is_empty()
            && self.deliveries.is_empty()
            && self.profiles.is_empty()
    }
}

/// Keeps the furthest mark of each; beyond [`MARKS_MAX`] new ones are dropped.
fn note_furthest(marks: &mut BTreeMap<(ConvId, UserId), Seq>, key: (ConvId, UserId), seq: Seq) {
    if marks.len() < MARKS_MAX || marks.contains_key(&key) {
        let mark = marks.entry(key).or_default();
        *mark = seq.max(*mark);
    }
}
