//! What a client hears.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};

use super::sending::{Failed, Outgoing, Sent};
use super::state::{Connection, Ended};
use crate::error::{Error, Result};
use crate::model::{Conversation, ConversationId, Message, Notice, Presence, Segment, Seq, UserId};

/// Something that happened.
#[expect(
    clippy::large_enum_variant,
    reason = "most events are entries, and a box for each costs more than it saves"
)]
#[derive(Debug)]
pub enum Event {
    /// An entry of a log. Comes in order within its conversation, and again after a restart until
    /// it is confirmed.
    Entry(Entry),
    /// Passes, and may be lost.
    Passing(Passing),
    /// A message of the outbox was stored, also one that was accepted before a restart.
    Sent(Sent),
    /// A message of the outbox failed for good.
    Failed(Failed),
    /// The connection changed.
    Connection(Connection),
    /// The server holds another history than before (a backup was restored): forget what you keep
    /// of messages and places, and read anew.
    Resync,
}

/// An entry of a conversation's log.
#[derive(Debug)]
pub struct Entry {
    pub conversation: ConversationId,
    pub seq: Seq,
    pub content: EntryContent,
    /// Who the client is.
    pub(super) me: Option<UserId>,
    /// In which history it stands: see [`Event::Resync`].
    pub(super) history: u64,
    pub(super) confirm: mpsc::Sender<Confirm>,
}

/// The application has it.
#[derive(Debug)]
pub(super) struct Confirm {
    pub(super) conversation: ConversationId,
    pub(super) seq: Seq,
    pub(super) history: u64,
    pub(super) done: oneshot::Sender<Result<()>>,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq)]
pub enum EntryContent {
    /// A message, as it is now.
    Message(Message),
    /// The whole message as it is after an edit, a recall or a reaction; its own place stands in it.
    MessageUpdated(Message),
    /// What happened in a group or among the own contacts.
    Notice(Notice),
}

impl Entry {
    /// The message, if it is a new one.
    pub fn message(&self) -> Option<&Message> {
        match &self.content {
            EntryContent::Message(message) => Some(message),
            EntryContent::MessageUpdated(_) | EntryContent::Notice(_) => None,
        }
    }

    /// The message, if it is a new one that somebody else wrote.
    pub fn message_of_another(&self) -> Option<&Message> {
        let message = self.message();
        message.filter(|message| Some(message.sender) != self.me)
    }

    /// A message into the entry's conversation that is named after the entry: a program that was
    /// stopped before it confirmed the entry decides again, and the answer is stored once.
    pub fn answer(&self, segments: Vec<Segment>) -> Outgoing {
        let name = format!("answer-{}-{}", self.conversation, self.seq);
        Outgoing::new(self.conversation, segments).named(name)
    }

    /// Says that the application has this entry and everything before it in its conversation: it
    /// never comes again. Answers when that is in the store; the server hears of it a little later.
    ///
    /// # Errors
    /// The store's; `Closed`.
    pub async fn confirm(&self) -> Result<()> {
        let (done, answer) = oneshot::channel();
        let confirm = Confirm {
            conversation: self.conversation,
            seq: self.seq,
            history: self.history,
            done,
        };
        self.confirm
            .send(confirm)
            .await
            .map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }
}

/// What passes beside the log.
#[derive(Clone, Debug, PartialEq)]
pub enum Passing {
    Typing {
        conversation: ConversationId,
        user: UserId,
    },
    Read {
        conversation: ConversationId,
        user: UserId,
        seq: Seq,
    },
    /// A device of the other one of a direct conversation has everything up to here.
    Delivered {
        conversation: ConversationId,
        user: UserId,
        seq: Seq,
    },
    Presence(Presence),
    /// A large group moved; its entries are not sent.
    Head {
        conversation: ConversationId,
        last_seq: Seq,
    },
    /// What a conversation looks like of which older entries are not sent; only with
    /// [`Backlog::Recent`](super::Backlog).
    Conversation {
        conversation: ConversationId,
        summary: Box<Conversation>,
        /// The entries behind the first up to the second are not sent.
        skipped: (Seq, Seq),
    },
    /// Anything else, as it came.
    Other {
        name: String,
        fields: Map<String, Value>,
    },
}

/// What a client hears, one after the other.
///
/// Whoever does not read for long makes the client stop reading from its connection; nothing is
/// lost by that.
#[derive(Debug)]
pub struct Events {
    pub(super) receiver: mpsc::Receiver<Event>,
}

impl Events {
    /// The next event; `None` when the client has ended. The last one says why it did.
    pub async fn next(&mut self) -> Option<Event> {
        self.receiver.recv().await
    }

    /// The next entry, for programs that need to hear of nothing else.
    ///
    /// # Errors
    /// Why the client has ended.
    pub async fn entry(&mut self) -> Result<Entry, Ended> {
        while let Some(event) = self.next().await {
            match event {
                Event::Entry(entry) => return Ok(entry),
                Event::Connection(Connection::Ended(why)) => return Err(why),
                Event::Connection(_)
                | Event::Passing(_)
                | Event::Sent(_)
                | Event::Failed(_)
                | Event::Resync => {}
            }
        }
        Err(Ended::Closed)
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.receiver.poll_recv(cx)
    }
}
