//! A connection that comes back by itself: sends what was accepted, hands out what happened.
//!
//! [`ClientBuilder::start`] loads the store and spawns one task, the driver, which owns the only
//! WebSocket. [`Client`] gives it requests, [`Events`] takes what it hands out.

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

mod backoff;
mod connection;
mod frames;
mod handover;
mod network;
mod outbox;
mod places;
mod session;
mod wishes;

#[cfg(test)]
mod tests;

pub use client::{Backlog, Client, ClientBuilder};
pub use event::{Entry, EntryContent, Event, Events, Passing};
pub use sending::{Failed, Outgoing, Sending, Sent, Target};
pub use state::{Connection, Ended};
