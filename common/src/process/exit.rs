//! How a program ends when it cannot go on: a code for whoever started it, a sentence for people.

use std::fmt;
use std::io;

use thiserror::Error;

use crate::store::{ImportError, StoreError};

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
    pub const SCHEMA: u8 = 78;

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
        let advice = match error {
            StoreError::Unreachable(_) | StoreError::OutcomeUnknown(_) => {
                "; check that it is there and may be written"
            }
            StoreError::SyncFailed(_) => {
                "; look after the disk, then start again: what is there is read anew, and \
                 `myim admin log verify` looks through it"
            }
            StoreError::InUse(_) | StoreError::Newer { .. } | StoreError::WeakDurability { .. } => {
                ""
            }
            StoreError::Broken(_) => {
                "; restore it from a backup, or use another one with --database"
            }
        };
        let why: &dyn fmt::Display = match error {
            // That it cannot be used is said already, and a file of ours is not reached but opened.
            StoreError::Unreachable(why) => why,
            other => other,
        };
        Self {
            code: Self::of_store(error),
            message: format!("cannot use the database {database}: {why}{advice}"),
        }
    }

    /// `from` and `into` are the databases' URLs without the passwords.
    pub fn import(from: &str, into: &str, error: &ImportError) -> Self {
        let (doing, error) = match error {
            ImportError::From(error) => (format!("read the database {from}"), error),
            ImportError::Into(error) => (format!("import into the database {into}"), error),
        };
        let why: &dyn fmt::Display = match error {
            // That it cannot be done is said already.
            StoreError::Unreachable(why) | StoreError::Broken(why) => why,
            other => other,
        };
        Self {
            code: Self::of_store(error),
            message: format!("cannot {doing}: {why}"),
        }
    }

    fn of_store(error: &StoreError) -> u8 {
        match error {
            StoreError::Unreachable(_)
            | StoreError::OutcomeUnknown(_)
            | StoreError::SyncFailed(_) => Self::IO,
            StoreError::InUse(_) => Self::IN_USE,
            StoreError::Newer { .. }
            | StoreError::WeakDurability { .. }
            | StoreError::Broken(_) => Self::SCHEMA,
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
            message: sentence(&error),
        }
    }
}

/// An error and its causes, those left out that an error tells itself.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
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
    fn a_cause_is_told_once() {
        #[derive(Debug, Error)]
        #[error("cannot open it: {source}")]
        struct Unopened {
            source: io::Error,
        }
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        let wrapped = Err::<(), _>(Unopened { source }).context("outer");
        let exit = Exit::from(wrapped.unwrap_err());
        assert_eq!(exit.to_string(), "outer: cannot open it: permission denied");
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
