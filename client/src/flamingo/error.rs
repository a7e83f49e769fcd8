//! What can go wrong between here and a server, each as a sentence for a person.

use std::path::PathBuf;
use std::time::Duration;

use common::wire::chat::{self, FrameError};
use common::wire::transfer::{self, TransferError};
use thiserror::Error;

pub type Result<T> = std::result::Result<T, Error>;

/// The sentences are whole: the cause is part of them, so it is not reported as a source again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    #[error("cannot connect to {address}: {cause}")]
    Connect {
        address: String,
        cause: std::io::Error,
    },
    #[error("the connection failed: {0}")]
    Connection(std::io::Error),
    #[error("the server closed the connection")]
    Closed,
    #[error("the server sent something that is not the chat protocol: {0}")]
    Frame(FrameError),
    #[error("the server sent something that is not the file protocol: {0}")]
    Transfer(TransferError),
    #[error("the message has {bytes} bytes, more than the protocol can carry")]
    TooLarge { bytes: usize },
    #[error("the server did not answer {command} within {} s", .after.as_secs_f32())]
    NoReply {
        command: &'static str,
        after: Duration,
    },
    #[error("the server did not take the data within {} s", .after.as_secs_f32())]
    Stalled { after: Duration },
    #[error("the server refused {command}: {message} (code {code})")]
    Refused {
        command: &'static str,
        code: i32,
        message: String,
    },
    #[error("the server's answer to {command} is not as it should be: {problem}")]
    Reply {
        command: &'static str,
        problem: String,
    },
    #[error("cannot use the file {path}: {cause}")]
    File {
        path: PathBuf,
        cause: std::io::Error,
    },
    #[error("cannot write what was downloaded: {0}")]
    Sink(std::io::Error),
    #[error("cannot read what is to be uploaded: {0}")]
    Source(std::io::Error),
    #[error("an empty file cannot be sent")]
    EmptyFile,
    #[error("the file changed while it was being sent")]
    FileChanged,
    #[error("the server has no file named {name}")]
    Missing { name: String },
    #[error("expected silence, but {heard}")]
    NotSilent { heard: String },
}

impl From<std::io::Error> for Error {
    fn from(cause: std::io::Error) -> Self {
        Self::Connection(cause)
    }
}

impl From<FrameError> for Error {
    fn from(cause: FrameError) -> Self {
        Self::Frame(cause)
    }
}

impl From<TransferError> for Error {
    fn from(cause: TransferError) -> Self {
        Self::Transfer(cause)
    }
}

impl From<chat::TooLarge> for Error {
    fn from(refused: chat::TooLarge) -> Self {
        Self::TooLarge {
            bytes: refused.bytes,
        }
    }
}

impl From<transfer::TooLarge> for Error {
    fn from(refused: transfer::TooLarge) -> Self {
        Self::TooLarge {
            bytes: refused.bytes,
        }
    }
}
