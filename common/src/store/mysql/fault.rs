//! What can go wrong with a statement, sorted by what to do about it.

use mysql_async::{DriverError, Error, IoError, ServerError};

use crate::store::StoreError;

/// A statement that did not work.
#[derive(Debug)]
pub(super) enum Fault {
    /// Another transaction was in the way; the same transaction may succeed when repeated.
    Contended(String),
    /// The connection broke.
    Lost(String),
    /// The server is there but will not do it now: stopping, full, out of connections.
    Unwilling(String),
    /// Repeating the statement will not help.
    Broken(String),
}

impl Fault {
    pub(super) fn broken(what: impl Into<String>) -> Self {
        Self::Broken(what.into())
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let text = match &error {
            // Both layers of the driver would say that it is an input/output error.
            Error::Io(IoError::Io(error)) => error.to_string(),
            other => other.to_string(),
        };
        match error {
            Error::Server(answer) => Self::from_server(&answer, text),
            Error::Io(_)
            | Error::Other(_)
            | Error::Driver(DriverError::ConnectionClosed | DriverError::PoolDisconnected) => {
                Self::Lost(text)
            }
            Error::Driver(_) | Error::Url(_) => Self::Broken(text),
        }
    }
}

impl Fault {
    fn from_server(answer: &ServerError, text: String) -> Self {
        match answer.code {
            // Deadlock, lock wait, record changed since last read (MariaDB), and a unique key that
            // another transaction filled after we looked: looking again finds it.
            1213 | 1205 | 1020 | 1062 => Self::Contended(text),
            // Server stops; connection was killed; no more connections; query was interrupted.
            1053 | 1152 | 1158..=1161 | 1184 | 1927 | 4031 => Self::Lost(text),
            // Too many connections; disk, table or log full; interrupted; read-only; time limit;
            // XA or cluster node not ready.
            1021 | 1037 | 1040 | 1041 | 1114 | 1203 | 1226 | 1290 | 1317 | 1792 | 1836 | 1969
            | 3024 | 1047 => Self::Unwilling(text),
            _ => Self::Broken(text),
        }
    }
}

/// From what both databases share.
impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Contended(text) | Fault::Lost(text) | Fault::Unwilling(text) => {
                Self::Unreachable(text)
            }
            Fault::Broken(text) => Self::Broken(text),
        }
    }
}
