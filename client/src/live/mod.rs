//! A connection that comes back by itself: sends what was accepted, hands out what happened.
//!
//! [`ClientBuilder::start`] loads the store and spawns one task, the driver, which owns the only
//! WebSocket. [`Client`] gives it requests, [`Events`] takes what it hands out.
//!
//! **Sending.** Messages of one conversation go one after the other, others beside them. Each has a
//! client id, under which it is sent again until there is an answer: the server stores it once.
//! What expires after it may have reached the server is reported as failed only when the server has
//! said that it did not store it.
//!
//! **Receiving.** Each entry is handed out once in a run of the program, in the order of its
//! conversation, and again after a restart until it is confirmed. A confirmation is in the store
//! before it is answered, and only then acknowledged to the server. [`Event::Resync`] comes again
//! after a restart until an entry of the new history is confirmed.
//!
//! **Whose memory.** A store belongs to a user, and a client with a token of another one ends with
//! [`Ended::Store`]. The server may move to another address. Only if its history is another one too,
//! and messages wait to be sent, is it taken for another server and refused.

mod client;
mod event;
mod sending;
mod state;

mod driver;

mod accept;
mod command;
mod dispatch;
mod ending;
mod receive;

pub(crate) mod backoff;
mod connection;
mod frames;
mod handover;
mod network;
mod outbox;
mod places;
mod session;
mod surroundings;
mod wishes;

#[cfg(test)]
mod tests;

pub use client::{Backlog, Client, ClientBuilder};
pub use event::{Entry, EntryContent, Event, Events, Passing};
pub use sending::{Failed, Outgoing, Sending, Sent, Target};
pub use state::{Connection, Ended};
pub use surroundings::Surroundings;
