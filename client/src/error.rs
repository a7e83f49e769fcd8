//! What can go wrong between a program and a server.

use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use crate::store::StoreError;

/// What calls answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How the cause begins when no connection came about.
pub(crate) const NO_CONNECTION: &str = "no connection: ";

/// Why a call did not do what it was asked for.
#[derive(Clone, Debug, Error)]
pub enum Error {
    /// The server understood and said no. Decide by [`Problem::code`].
    #[error("{0}")]
    Refused(Problem),
    /// No answer came: the server cannot be reached, or the connection broke. What was asked for
    /// may have been done.
    #[error("{server} cannot be reached: {}", cause.strip_prefix(NO_CONNECTION).unwrap_or(cause))]
    Unreachable { server: String, cause: String },
    /// The answer is none that a myim server gives.
    #[error("{server} does not answer like a myim server: {detail}")]
    Protocol { server: String, detail: String },
    /// The client's own memory failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file on this machine cannot be read or written.
    #[error("{path}: {cause}")]
    File { path: String, cause: String },
    /// A transfer of a file failed.
    #[error("{0}")]
    Transfer(String),
    /// The client was closed, or its sign-in is over.
    #[error("the client is closed")]
    Closed,
    /// Too many messages wait to be sent: send on when some of them are.
    #[error("the outbox is full: more than 10,000 messages wait to be sent")]
    OutboxFull,
    /// There is no connection at the moment, and this is nothing that waits for one.
    #[error("there is no connection to the server at the moment")]
    Offline,
}

impl Error {
    /// The server's code for a refusal, for example `not_friends`.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => Some(&problem.code),
            _ => None,
        }
    }

    /// Whether what was asked for certainly never reached the server: there was no connection.
    pub fn never_left(&self) -> bool {
        match self {
            Self::Unreachable { cause, .. } => cause.starts_with(NO_CONNECTION),
            other => matches!(other, Self::Offline | Self::File { .. }),
        }
    }

    /// How long to wait before the same may be tried again; `None` where trying again does not
    /// help. Errors of the network may be tried again at once.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(problem) => problem.retry_after(),
            Self::Unreachable { .. } | Self::Offline => Some(Duration::ZERO),
            _ => None,
        }
    }
}

/// A refusal, as the server explains it (RFC 9457).
#[derive(Clone, Debug, PartialEq, Error, Deserialize)]
#[error("{}", if detail.is_empty() { code } else { detail })]
pub struct Problem {
    /// A word that is never renamed; the server's documentation lists them.
    pub code: String,
    /// The HTTP status; 0 for an answer on a WebSocket.
    #[serde(default)]
    pub status: u16,
    /// For people.
    #[serde(default, alias = "message")]
    pub detail: String,
    /// In seconds, where waiting helps.
    #[serde(default)]
    retry_after: Option<f64>,
}

/// Longer than this nobody is told to wait.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

impl Problem {
    /// A refusal of this crate itself, with the code that the server would use.
    pub(crate) fn new(code: &str, detail: &str) -> Self {
        Self {
            code: code.to_owned(),
            status: 0,
            detail: detail.to_owned(),
            retry_after: None,
        }
    }

    /// How long to wait before trying the same again; `None` if that does not help.
    pub fn retry_after(&self) -> Option<Duration> {
        let transient = matches!(
            self.code.as_str(),
            "rate_limited"
                | "too_many_attempts"
                | "storage_unavailable"
                | "shutting_down"
                | "timed_out"
                | "internal"
        );
        let told = self
            .retry_after
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        match told {
            Some(told) => Some(told.min(RETRY_AFTER_MAX)),
            None => transient.then_some(Duration::from_secs(1)),
        }
    }
}
