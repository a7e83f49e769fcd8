//! What a client's handle asks its driver for, and how a client behaves.

use std::time::Duration;

use tokio::sync::oneshot;

use super::client::Backlog;
use super::sending::{Outgoing, Sending};
use crate::error::Result;
use crate::model::{ConversationId, Seq, Status, UserId};
use crate::store;

/// How a client behaves.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) backlog: Backlog,
    pub(super) status: Status,
    pub(super) expire_after: Duration,
    pub(super) reconnect_max: Duration,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            backlog: Backlog::All,
            status: Status::Online,
            expire_after: Duration::from_secs(24 * 3600),
            reconnect_max: Duration::from_secs(30),
        }
    }
}

/// What a handle asks for.
#[derive(Debug)]
pub(super) enum Command {
    Send {
        outgoing: Outgoing,
        answer: oneshot::Sender<Result<Sending>>,
    },
    Outbox {
        answer: oneshot::Sender<Vec<store::Outgoing>>,
    },
    Retry {
        client_id: String,
        answer: oneshot::Sender<Result<()>>,
    },
    Discard {
        client_id: String,
        answer: oneshot::Sender<Result<()>>,
    },
    Confirm {
        conversation: ConversationId,
        seq: Seq,
        answer: oneshot::Sender<Result<()>>,
    },
    Typing {
        conversation: ConversationId,
    },
    Read {
        conversation: ConversationId,
        seq: Seq,
    },
    SetStatus {
        status: Status,
    },
    WatchPresence {
        users: Vec<UserId>,
    },
    Open {
        conversation: ConversationId,
    },
    CloseConversation {
        conversation: ConversationId,
    },
    Wake,
    Close {
        answer: oneshot::Sender<()>,
    },
}
