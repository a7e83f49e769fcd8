//! How a program ends when it cannot go on: a code for whoever started it, a sentence for people.

use std::io;

use thiserror::Error;

use crate::store::StoreError;

/// The end of a program that failed. The codes are those of `sysexits.h`.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub struct Exit {
    code: u8,
    message: String,
}

impl Exit {
    /// A setting is wrong.
    pub const CONFIG: u8 = 64;
    /// Nobody expected this.
    const SOFTWARE: u8 = 70;
    /// A port, a file or a disk does not do what it should.
    const IO: u8 = 74;
    /// Another program has what this one needs.
    const IN_USE: u8 = 75;
    /// The database is not one this program can work with.
    const SCHEMA: u8 = 78;

    /// Something outside the program does not do what it should.
    pub fn io(message: impl Into<String>) -> Self {
        Self {
            code: Self::IO,
            message: message.into(),
        }
    }

    /// A setting is wrong, or what it names.
    pub fn config(message: impl Into<String>) -> Self {
        Self {
            code: Self::CONFIG,
            message: message.into(),
        }
    }

    /// `database` is its URL without the password.
    pub fn database(database: &str, error: &StoreError) -> Self {
        let (code, advice) = match error {
            StoreError::Unreachable(_) | StoreError::OutcomeUnknown(_) => {
                (Self::IO, "; check that it is there and may be written")
            }
            StoreError::SyncFailed(_) => (
                Self::IO,
                "; look after the disk, then start again: what is there is read anew, and \
                 `myim admin log verify` looks through it",
            ),
            StoreError::InUse(_) => (Self::IN_USE, ""),
            StoreError::Newer { .. } | StoreError::WeakDurability { .. } => (Self::SCHEMA, ""),
            StoreError::Broken(_) => (
                Self::SCHEMA,
                "; restore it from a backup, or use another one with --database",
            ),
        };
        Self {
            code,
            message: format!("cannot use the database {database}: {error}{advice}"),
        }
    }

    pub fn code(&self) -> u8 {
        self.code
    }

    /// Logs the sentence.
    pub(super) fn report(&self) {
        tracing::error!(exit_code = self.code, "{}", self.message);
    }
}

impl From<anyhow::Error> for Exit {
    fn from(error: anyhow::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(exit) => return exit,
            Err(error) => error,
        };
        let from_outside = error.chain().any(<dyn std::error::Error>::is::<io::Error>);
        Self {
            code: if from_outside {
                Self::IO
            } else {
                Self::SOFTWARE
            },
            message: format!("{error:#}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn an_error_keeps_its_code_on_the_way_up() {
        let exit = Exit::database("x", &StoreError::InUse("x".to_owned()));
        assert_eq!(Exit::from(anyhow::Error::from(exit.clone())).code(), 75);
        let wrapped = Err::<(), _>(exit).context("outer").unwrap_err();
        assert_eq!(Exit::from(wrapped).code(), 75);
        let disk = io::Error::from(io::ErrorKind::StorageFull);
        let wrapped = Err::<(), _>(disk).context("cannot store").unwrap_err();
        let exit = Exit::from(wrapped);
        assert_eq!(exit.code(), 74);
        assert!(exit.to_string().starts_with("cannot store: "), "{exit}");
        assert_eq!(Exit::from(anyhow::anyhow!("odd")).code(), 70);
    }

    #[test]
    fn every_lasting_database_error_has_a_code() {
        let code = |error: StoreError| Exit::database("x", &error).code();
        assert_eq!(code(StoreError::Newer { found: 2, known: 1 }), 78);
        assert_eq!(code(StoreError::Broken(String::new())), 78);
        assert_eq!(code(StoreError::Unreachable(String::new())), 74);
        assert_eq!(code(StoreError::SyncFailed(String::new())), 74);
    }
}
