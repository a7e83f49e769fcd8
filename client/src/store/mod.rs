//! What a [`Client`](crate::Client) must not forget: what it accepted to send, and how far the
//! application confirmed what it received.
//!
//! [`MemoryStore`] forgets it with the program; [`SqliteStore`] keeps it in a file. A program that
//! stores messages itself implements [`Store`] over its own database, and keeps places and
//! messages in one transaction.

mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::live::Target;
use crate::model::{ConversationId, Segment, Seq, Timestamp, UserId};

pub use memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

/// Keeps the memory of one client.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Everything that was kept. Called once, before anything else.
    async fn load(&self) -> Result<Memory, StoreError>;

    /// Applies all changes in their order, or none. They survive the end of the program once this
    /// has answered.
    async fn apply(&self, changes: &[Change]) -> Result<(), StoreError>;
}

/// What a client remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Whose it is; `None` for a fresh one.
    pub owner: Option<Owner>,
    /// Which history the places belong to, as the server names it.
    pub epoch: Option<String>,
    /// Up to where the application confirmed each conversation.
    pub places: Vec<(ConversationId, Seq)>,
    /// What was accepted and is not stored by the server yet, or failed; in the order accepted.
    pub outbox: Vec<Outgoing>,
}

/// Whose memory it is. A client refuses that of another account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub server: String,
    pub user: UserId,
    /// Numbers begin anew on a server that begins anew; then the name tells accounts apart. `None`
    /// where the server did not say it.
    #[serde(default)]
    pub username: Option<String>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            server,
            user,
            username,
        } = self;
        match username {
            Some(name) => write!(f, "{name} (user {user}) of {server}"),
            None => write!(f, "user {user} of {server}"),
        }
    }
}

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    pub client_id: String,
    pub to: Target,
    pub segments: Vec<Segment>,
    #[serde(default)]
    pub reply_to: Option<Seq>,
    pub accepted_at: Timestamp,
    /// From this moment on it is not sent any more.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// It may have reached the server.
    #[serde(default)]
    pub attempted: bool,
    /// Why it failed for good; it stays until the application takes it out.
    #[serde(default)]
    pub failed: Option<String>,
}

/// A change of what is remembered.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    SetOwner(Owner),
    /// Another history: all places are forgotten.
    SetEpoch(String),
    /// The application confirmed everything up to here. Never moves back.
    SetPlace(ConversationId, Seq),
    /// Accepted: goes to the end of the outbox.
    Accept(Outgoing),
    /// From now on it may have reached the server.
    Attempted {
        client_id: String,
    },
    /// Failed for good.
    Fail {
        client_id: String,
        reason: String,
    },
    /// Failed before and goes again: to the end of the outbox.
    Retry {
        client_id: String,
        expires_at: Option<Timestamp>,
    },
    /// Stored by the server, or taken out by the application.
    Remove {
        client_id: String,
    },
}

/// Why a memory cannot be read or written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    #[error("{path}: {problem}")]
    File { path: String, problem: String },
    #[error("{path} belongs to {owner}: give this account a file of its own")]
    SomebodyElses { path: String, owner: Owner },
    #[error("{0}")]
    Other(String),
}

#[cfg(test)]
mod tests;
