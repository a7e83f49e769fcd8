//! One signed-in connection as others see it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::id::{ConvId, DeviceId, SessionId, UserId};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::crowd::Reach;
use super::mailbox::{Event, Mailbox};
use crate::actor::Actor;

/// How many large groups a session may have open at a time: what fits on a screen many times.
pub const OPEN_MAX: usize = 64;

/// What kind of program a session belongs to, as the existing clients know them: the numbers are
/// theirs.
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

/// How a session hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// The protocol of the existing clients.
    Flamingo,
    WebSocket,
    /// Server-sent events.
    Stream,
    /// One call that waits for something to happen. Comes and goes all the time, so that nobody is
    /// told of it.
    Poll,
    /// What happens is posted somewhere. Nobody is there, so nobody is told of it either.
    Webhook,
}

impl Manner {
    /// Whether somebody is there as long as the session is.
    pub(super) fn is_presence(self) -> bool {
        !matches!(self, Self::Poll | Self::Webhook)
    }
}

/// What others see of a user's whereabouts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// 0 off line, 1 on line, 2 invisible, 3 mobile network, 4 Wi-Fi; as the client said.
    pub status: i32,
    /// The number of a [`ClientKind`]; 0 off line.
    pub client: i32,
    /// On line, but not looking. The existing clients have no word for it.
    pub is_away: bool,
}

/// The status of whoever does not want to be seen.
pub const INVISIBLE: i32 = 2;
/// The status of whoever is simply there.
pub const ONLINE: i32 = 1;

impl Presence {
    /// Whether others are to see the user.
    pub fn is_visible(&self) -> bool {
        self.status != 0 && self.status != INVISIBLE
    }
}

/// Why a session has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The same device came again; the tag is that of an existing client's login.
    Replaced { tag: i32 },
    /// The user signed the device out, or an administrator did.
    Revoked,
}

/// Somebody who proved who he is and wants to hear what happens.
#[derive(Clone, Debug)]
pub struct Entrant {
    pub actor: Actor,
    pub kind: ClientKind,
    pub manner: Manner,
    /// The sign-in of the API.
    pub sign_in: Option<SessionId>,
    pub status: i32,
    /// The number of an existing client's login request.
    pub tag: i32,
}

/// One signed-in connection, as others see it.
#[derive(Debug)]
pub struct Session {
    pub number: u64,
    pub actor: Actor,
    pub kind: ClientKind,
    pub manner: Manner,
    pub sign_in: Option<SessionId>,
    status: AtomicI32,
    is_away: AtomicBool,
    waiting: Mutex<Waiting>,
    bell: Notify,
    is_saving: AtomicBool,
    /// Cancelled when the session has written its cursors and left the hub.
    pub gone: CancellationToken,
}

#[derive(Debug, Default)]
struct Waiting {
    mailbox: Mailbox,
    /// Large groups that the client shows.
    open: BTreeSet<ConvId>,
    /// The client said whose presence it wants to hear of; before, it hears of all friends.
    is_choosing: bool,
}

impl Session {
    pub(super) fn new(number: u64, entrant: Entrant) -> Self {
        Self {
            number,
            actor: entrant.actor,
            kind: entrant.kind,
            manner: entrant.manner,
            sign_in: entrant.sign_in,
            status: AtomicI32::new(entrant.status),
            is_away: AtomicBool::new(false),
            waiting: Mutex::default(),
            bell: Notify::new(),
            is_saving: AtomicBool::new(false),
            gone: CancellationToken::new(),
        }
    }

    /// The session has written its last to the client, and now saves what the client has.
    pub fn saves(&self) {
        self.is_saving.store(true, Ordering::Relaxed);
    }

    pub fn is_saving(&self) -> bool {
        self.is_saving.load(Ordering::Relaxed)
    }

    /// Returns whether this was a change.
    pub(super) fn set_status(&self, status: i32, is_away: bool) -> bool {
        let was = self.status.swap(status, Ordering::Relaxed);
        let was_away = self.is_away.swap(is_away, Ordering::Relaxed);
        was != status || was_away != is_away
    }

    pub fn device(&self) -> DeviceId {
        self.actor.device
    }

    pub fn status(&self) -> i32 {
        self.status.load(Ordering::Relaxed)
    }

    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// Whether it is a session of the API.
    pub fn is_api(&self) -> bool {
        self.manner != Manner::Flamingo
    }

    /// Waits until there is something in the mailbox. Cancel-safe.
    pub async fn bell(&self) {
        self.bell.notified().await;
    }

    /// Empties the mailbox.
    pub fn collect(&self) -> Mailbox {
        std::mem::take(&mut self.lock().mailbox)
    }

    /// Whether the session is told to end; the mailbox says why.
    pub fn is_to_end(&self) -> bool {
        self.lock().mailbox.end.is_some()
    }

    pub(super) fn put(&self, note: impl FnOnce(&mut Mailbox)) {
        note(&mut self.lock().mailbox);
        self.bell.notify_one();
    }

    /// Leaves a passing event, in the way of this session's protocol.
    pub(super) fn put_event(&self, event: &Event) {
        match self.manner {
            Manner::Flamingo => {
                self.put(|mailbox| mailbox.push(event.clone()));
                return;
            }
            // Only the log is posted.
            Manner::Webhook => return,
            Manner::WebSocket | Manner::Stream | Manner::Poll => {}
        }
        match event {
            Event::Presence { user, presence } => {
                if !self.lock().is_choosing {
                    self.put_presence(*user, *presence);
                }
            }
            Event::ProfileChanged { peer } => self.put(|mailbox| mailbox.note_profile(*peer)),
            // Screens are shared among the existing clients only.
            Event::RemoteDesktop { .. } => {}
        }
    }

    pub(super) fn put_presence(&self, user: UserId, presence: Presence) {
        self.put(|mailbox| mailbox.note_presence(user, presence));
    }

    /// Something was committed to this conversation.
    pub(super) fn ring(&self, conv: ConvId, seq: common::id::Seq, reach: Reach) {
        let mut waiting = self.lock();
        // Webhooks are few, and cannot look at a group.
        let gets_entries = matches!(self.manner, Manner::Flamingo | Manner::Webhook)
            || match reach {
                Reach::Everybody => true,
                Reach::WhoLooks => waiting.open.contains(&conv),
                Reach::Nobody => false,
            };
        if gets_entries {
            waiting.mailbox.changed.insert(conv);
        } else {
            waiting.mailbox.note_head(conv, seq);
        }
        drop(waiting);
        self.bell.notify_one();
    }

    /// Whether a typing or reading mark in this conversation is for this session.
    pub(super) fn wants_marks(&self, conv: ConvId, reach: Reach) -> bool {
        matches!(self.manner, Manner::WebSocket | Manner::Stream)
            && match reach {
                Reach::Everybody => true,
                Reach::WhoLooks => self.lock().open.contains(&conv),
                Reach::Nobody => false,
            }
    }

    /// The client shows this conversation: also a large group's entries are for it. `false` if it
    /// shows too many already.
    pub fn open(&self, conv: ConvId) -> bool {
        let open = &mut self.lock().open;
        if open.len() >= OPEN_MAX && !open.contains(&conv) {
            return false;
        }
        open.insert(conv);
        true
    }

    /// The client does not show this conversation any more.
    pub fn close(&self, conv: ConvId) {
        self.lock().open.remove(&conv);
    }

    /// Whether the client shows this conversation.
    pub fn has_open(&self, conv: ConvId) -> bool {
        self.lock().open.contains(&conv)
    }

    pub(super) fn choose(&self) {
        let mut waiting = self.lock();
        waiting.is_choosing = true;
        waiting.mailbox.presences.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
