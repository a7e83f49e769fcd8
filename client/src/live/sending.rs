//! Messages on their way to the server.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::model::{ConversationId, GroupId, Segment, Seq, Timestamp, UserId, decimal};

/// Whom or what to write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    User(#[serde(with = "decimal")] UserId),
    Group(#[serde(with = "decimal")] GroupId),
    Conversation(#[serde(with = "decimal")] ConversationId),
}

impl From<UserId> for Target {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

impl From<GroupId> for Target {
    fn from(group: GroupId) -> Self {
        Self::Group(group)
    }
}

impl From<ConversationId> for Target {
    fn from(conversation: ConversationId) -> Self {
        Self::Conversation(conversation)
    }
}

/// What [`Client::send_with`](crate::Client::send_with) takes.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub to: Target,
    pub segments: Vec<Segment>,
    pub reply_to: Option<Seq>,
    /// The own name of the message, 1 to 64 visible ASCII characters; a new one if none is given.
    pub client_id: Option<String>,
    /// After this time it is given up; the client's own setting if none is given.
    pub expire_after: Option<Duration>,
}

impl Outgoing {
    /// A message with nothing special about it.
    pub fn new(to: impl Into<Target>, segments: Vec<Segment>) -> Self {
        Self {
            to: to.into(),
            segments,
            reply_to: None,
            client_id: None,
            expire_after: None,
        }
    }

    /// The same under a name of the sender's own: whatever has this name is stored once.
    #[must_use]
    pub fn named(self, client_id: impl Into<String>) -> Self {
        Self {
            client_id: Some(client_id.into()),
            ..self
        }
    }

    /// The same as an answer to a message of its conversation.
    #[must_use]
    pub fn answering(self, seq: Seq) -> Self {
        Self {
            reply_to: Some(seq),
            ..self
        }
    }

    /// The same, given up after this time.
    #[must_use]
    pub fn expiring(self, after: Duration) -> Self {
        Self {
            expire_after: Some(after),
            ..self
        }
    }
}

/// A message that the server stored, durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub client_id: String,
    pub conversation: ConversationId,
    pub seq: Seq,
    pub time: Timestamp,
}

/// A message that was not stored, and will not be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the message was not sent: {reason}")]
pub struct Failed {
    pub client_id: String,
    /// The server's code, `expired`, or `closed` if the client was closed first: then it stays in
    /// the outbox and goes with the next start.
    pub code: String,
    pub reason: String,
}

impl Failed {
    /// How the store keeps it.
    pub(super) fn kept(&self) -> String {
        format!("{}: {}", self.code, self.reason)
    }

    pub(super) fn from_kept(client_id: &str, kept: &str) -> Self {
        let (code, reason) = kept.split_once(": ").unwrap_or(("unknown", kept));
        Self {
            client_id: client_id.to_owned(),
            code: code.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// A message that was accepted: it is in the outbox, and goes to the server when there is a
/// connection. Dropping this changes nothing about that.
#[derive(Debug)]
pub struct Sending {
    pub(super) client_id: String,
    pub(super) outcome: oneshot::Receiver<Result<Sent, Failed>>,
}

impl Sending {
    /// The message's own name.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Waits until the server has it, or until it failed.
    ///
    /// # Errors
    /// [`Failed`], with the reason.
    pub async fn stored(self) -> Result<Sent, Failed> {
        let Self { client_id, outcome } = self;
        match outcome.await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failed {
                client_id,
                code: "closed".to_owned(),
                reason: "the client was closed first; it goes with the next start".to_owned(),
            }),
        }
    }
}
