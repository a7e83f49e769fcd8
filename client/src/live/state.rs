//! How a client's connection is.

use std::time::Duration;

use thiserror::Error;

use crate::model::{SessionId, UserId};

/// How the connection is at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// A connection is being opened.
    Connecting,
    /// Everything goes through.
    Online { user: UserId, session: SessionId },
    /// The next try is in a while; [`Client::wake`](crate::Client::wake) makes it now.
    Waiting { reason: String, next_try: Duration },
    /// It is over, for good.
    Ended(Ended),
}

/// Why a client ended.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Ended {
    /// The application closed it.
    #[error("the client was closed")]
    Closed,
    /// The token is worth nothing (any more): the device was signed out, or its time is over.
    #[error("the sign-in is over")]
    SignedOut,
    /// The same device connected elsewhere.
    #[error("the same device connected elsewhere")]
    Replaced,
    /// The client's own memory failed; nothing can be promised any more.
    #[error("the client's store failed: {0}")]
    Store(String),
}
