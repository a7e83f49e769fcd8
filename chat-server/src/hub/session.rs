//! One logged-in connection as others see it, and what waits for it.
//!
//! A mailbox holds no messages: only the set of conversations that changed, a few passing events
//! (presence and the like, dropped when they pile up), and whether to end.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use common::id::{ConvId, DeviceId, Peer, UserId};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How many passing events wait for a session at the most; more are dropped, oldest first.
pub(super) const EVENTS_MAX: usize = 256;
/// How many bytes of remote-desktop frames wait for a session at the most.
pub(super) const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What kind of program a session belongs to. The numbers are those of the existing clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClientKind {
    Pc = 1,
    Android = 2,
    Ios = 3,
    Mac = 4,
}

impl ClientKind {
    pub fn number(self) -> i32 {
        match self {
            Self::Pc => 1,
            Self::Android => 2,
            Self::Ios => 3,
            Self::Mac => 4,
        }
    }

    /// The existing clients have one device for each client kind.
    pub fn device(self) -> DeviceId {
        DeviceId(match self {
            Self::Pc => 1,
            Self::Android => 2,
            Self::Ios => 3,
            Self::Mac => 4,
        })
    }
}

/// What others see of a user's whereabouts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// 0 off line, 1 on line, 2 invisible, 3 mobile network, 4 Wi-Fi; as the client said.
    pub status: i32,
    /// The number of a [`ClientKind`]; 0 off line.
    pub client: i32,
}

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

/// Why a session has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The same user logged in with the same kind of client; the tag is that login's.
    Replaced { tag: i32 },
}

/// One logged-in connection, as others see it.
#[derive(Debug)]
pub struct Session {
    pub number: u64,
    pub user: UserId,
    pub username: Arc<str>,
    pub kind: ClientKind,
    pub address: IpAddr,
    status: AtomicI32,
    mailbox: Mutex<Mailbox>,
    bell: Notify,
    /// Cancelled when the session has written its cursors and left the hub.
    pub gone: CancellationToken,
}

/// What waits for a session.
#[derive(Debug, Default)]
pub struct Mailbox {
    /// Conversations with new entries.
    pub changed: BTreeSet<ConvId>,
    /// Conversations that are not the user's any more.
    pub lost: Vec<ConvId>,
    pub events: VecDeque<Event>,
    pub end: Option<End>,
    frame_bytes: usize,
}

impl Session {
    pub(super) fn new(
        number: u64,
        user: UserId,
        username: &str,
        kind: ClientKind,
        status: i32,
        address: IpAddr,
    ) -> Self {
        Self {
            number,
            user,
            username: username.into(),
            kind,
            address,
            status: AtomicI32::new(status),
            mailbox: Mutex::default(),
            bell: Notify::new(),
            gone: CancellationToken::new(),
        }
    }

    /// Returns the status before.
    pub(super) fn set_status(&self, status: i32) -> i32 {
        self.status.swap(status, Ordering::Relaxed)
    }

    pub fn device(&self) -> DeviceId {
        self.kind.device()
    }

    pub fn status(&self) -> i32 {
        self.status.load(Ordering::Relaxed)
    }

    /// Waits until there is something in the mailbox. Cancel-safe.
    pub async fn bell(&self) {
        self.bell.notified().await;
    }

    /// Empties the mailbox.
    pub fn collect(&self) -> Mailbox {
        std::mem::take(&mut *self.lock())
    }

    pub(super) fn leave(&self, note: impl FnOnce(&mut Mailbox)) {
        note(&mut self.lock());
        self.bell.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Mailbox> {
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
            && self.lost.is_empty()
            && self.events.is_empty()
            && self.end.is_none()
    }
}
