//! What a failed SQLite call means to the caller.
//!
//! Everything here is about calls before the commit: they left nothing behind. What a failed
//! commit means is decided in `writer`.

use rusqlite::ErrorCode;

use crate::api::Refusal;
use crate::store::{Outcome, StoreError};

/// Why a change stopped before it was applied.
#[derive(Debug)]
pub(super) enum Stop {
    /// The change alone ends with this outcome; nothing of it was written.
    With(Outcome),
    /// The whole batch fails.
    Failed(StoreError),
}

/// What applying one change came to.
pub(super) type Applied = Result<Outcome, Stop>;

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::With(Outcome::Refused(refusal))
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let sentence = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => "the disk is full",
            Some(ErrorCode::ReadOnly) => "the database file or its disk is read-only",
            Some(ErrorCode::SystemIoFailure) => "the disk reported an error",
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                "the database file cannot be opened"
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "another program holds the database"
            }
            Some(ErrorCode::OutOfMemory) => "there is no memory",
            _ => return Self::Broken(error.to_string()),
        };
        Self::Unreachable(format!("{sentence} ({error})"))
    }
}
