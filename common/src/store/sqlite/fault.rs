//! What a failed SQLite call means to the caller.
//!
//! Most of it is about calls before the commit: they left nothing behind. What a failed commit means
//! is decided in `writer`; a failed sync means the same wherever it happens.

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC};

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
        if is_failed_sync(&error) {
            return Self::SyncFailed(error.to_string());
        }
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

/// Whether the system could not bring to the disk what it had taken before.
fn is_failed_sync(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_extended_error_code();
    code.is_some_and(|code| [SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC].contains(&code))
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi::{self, SQLITE_FULL, SQLITE_IOERR_WRITE};

    use super::*;

    fn told(code: i32) -> StoreError {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None).into()
    }

    #[test]
    fn a_full_disk_passes_and_a_failed_sync_does_not() {
        for code in [SQLITE_FULL, SQLITE_IOERR_WRITE] {
            let error = told(code);
            assert!(error.is_passing() && !error.is_outcome_unknown(), "{error}");
        }
        for code in [SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC] {
            let error = told(code);
            assert!(matches!(error, StoreError::SyncFailed(_)), "{error}");
            assert!(!error.is_passing() && error.is_outcome_unknown(), "{error}");
        }
    }
}
