//! The way of events to the application, which may be slow.
//!
//! The channel is bounded. Behind it a queue holds what was read from the connection while the
//! application waits for something else; beyond that, events are left out until the application has
//! caught up, and the connection has to be made anew so that the server sends them again.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::event::{Event, Passing};
use super::state::Connection;

/// Entries that wait behind the channel, at most.
const ENTRIES_MAX: usize = 4096;
/// Bytes of all of them, at most.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// What passes is left out from here on.
const PASSING_MAX: usize = 256;

#[derive(Debug)]
struct Waiting {
    event: Event,
    /// Only of entries.
    bytes: usize,
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Handover {
    channel: mpsc::Sender<Event>,
    queue: VecDeque<Waiting>,
    entries: usize,
    bytes: usize,
    /// How the connection is, if the application was not told yet: only the latest counts.
    connection: Option<Connection>,
    is_discarding: bool,
}

impl Handover {
    pub(super) fn new(channel: mpsc::Sender<Event>) -> Self {
        Self {
            channel,
            queue: VecDeque::new(),
            entries: 0,
            bytes: 0,
            connection: None,
            is_discarding: false,
        }
    }

    /// An entry, or what the application may not miss; `false` if it had to be left out, as
    /// everything has from then on.
    pub(super) fn entry(&mut self, event: Event, bytes: usize) -> bool {
        let is_full = self.entries >= ENTRIES_MAX || self.bytes + bytes > BYTES_MAX;
        if self.is_discarding || (is_full && self.entries > 0) {
            self.is_discarding = true;
            return false;
        }
        self.entries += 1;
        self.bytes += bytes;
        self.queue.push_back(Waiting { event, bytes });
        self.drain();
        true
    }

    /// What may be lost.
    pub(super) fn passing(&mut self, passing: Passing) {
        if self.queue.len() < PASSING_MAX && !self.is_discarding {
            self.notice(Event::Passing(passing));
        }
    }

    /// What never is left out. Its makers see to a bound.
    pub(super) fn notice(&mut self, event: Event) {
        self.queue.push_back(Waiting { event, bytes: 0 });
        self.drain();
    }

    pub(super) fn connection(&mut self, connection: Connection) {
        self.connection = Some(connection);
        self.drain();
    }

    /// Gives the application what it has room for.
    pub(super) fn drain(&mut self) {
        if self.channel.is_closed() {
            (self.queue, self.connection) = (VecDeque::new(), None);
            (self.entries, self.bytes) = (0, 0);
            return;
        }
        while self.connection.is_some() || !self.queue.is_empty() {
            let permit = match self.channel.try_reserve() {
                Ok(permit) => permit,
                Err(TrySendError::Full(()) | TrySendError::Closed(())) => return,
            };
            if let Some(connection) = self.connection.take() {
                permit.send(Event::Connection(connection));
            } else if let Some(Waiting { event, bytes }) = self.queue.pop_front() {
                if is_kept(&event) {
                    self.entries = self.entries.saturating_sub(1);
                }
                self.bytes -= bytes;
                permit.send(event);
            }
        }
    }

    /// How many wait behind the channel.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_gone(&self) -> bool {
        self.channel.is_closed()
    }

    /// Entries were left out, and the application has caught up: time to make the connection anew.
    pub(super) fn has_caught_up(&self) -> bool {
        let room = self.channel.max_capacity() / 2;
        self.is_discarding && self.queue.is_empty() && self.channel.capacity() >= room
    }

    /// A new connection sends again what was left out.
    pub(super) fn restart(&mut self) {
        self.is_discarding = false;
    }

    /// Another history: entries of the old one that the application was not given are taken back.
    pub(super) fn forget_entries(&mut self) {
        self.queue.retain(|waiting| !is_kept(&waiting.event));
        (self.entries, self.bytes) = (0, 0);
    }

    /// Completes when there is something to do: [`Handover::drain`], or a look at
    /// [`Handover::has_caught_up`].
    pub(super) async fn room(&self) {
        let wanted = if self.connection.is_some() || !self.queue.is_empty() {
            1
        } else if self.is_discarding {
            self.channel.max_capacity() / 2
        } else {
            return std::future::pending().await;
        };
        // An error means that the application is gone, which is noticed elsewhere.
        if self.channel.reserve_many(wanted).await.is_err() {
            std::future::pending().await
        }
    }

    /// Completes when the application does not want events any more.
    pub(super) async fn gone(&self) {
        self.channel.closed().await;
    }

    /// The last words: what was sent and what failed, then why it is over. Waits for the
    /// application.
    pub(super) async fn finish(mut self, last: Connection) {
        self.forget_entries();
        let rest = self.queue.into_iter().map(|waiting| waiting.event);
        for event in rest.chain([Event::Connection(last)]) {
            if self.channel.send(event).await.is_err() {
                return;
            }
        }
    }
}

/// Counts as an entry: what comes again with the next connection.
fn is_kept(event: &Event) -> bool {
    match event {
        Event::Entry(_) => true,
        Event::Passing(passing) => is_needed(passing),
        Event::Sent(_) | Event::Failed(_) | Event::Connection(_) | Event::Resync => false,
    }
}

/// Passes, but says which entries are not sent.
pub(super) fn is_needed(passing: &Passing) -> bool {
    matches!(passing, Passing::Head { .. } | Passing::Conversation { .. })
}
