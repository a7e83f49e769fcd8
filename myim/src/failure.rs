//! Why a command failed: a sentence for people, a word and an exit code for scripts.

use std::fmt;
use std::io;

use client::store::StoreError;
use client::{Api, Problem, ServerError};
use common::auth::LOCKED_OUT;
use thiserror::Error;

/// A failure that the command line found by itself. What the server refused and what the network
/// did are [`client::Error`]s.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Failure {
    /// The command makes no sense as it was given.
    #[error("{0}")]
    Usage(String),
    /// Nothing answered, in time or at all. For a send it says what became of the message.
    #[error("{0}")]
    TimedOut(String),
    /// There is no account to do it with.
    #[error("{0}")]
    NotSignedIn(String),
    /// A file on this machine cannot be used.
    #[error("{0}")]
    Local(String),
    /// Ctrl-C.
    #[error("{0}")]
    Interrupted(String),
    /// Something that is not there, in the sense of a server's `no_such_…`.
    #[error("{message}")]
    Refused { code: &'static str, message: String },
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn local(path: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self::Local(format!("{path}: {cause}"))
    }
}

/// How a program ends: the codes are written down in `docs/command-line.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Refused,
    Usage,
    Unreachable,
    NotSignedIn,
    Local,
    Interrupted,
}

impl Ending {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::NotSignedIn => 4,
            Self::Local => 5,
            Self::Interrupted => 130,
        }
    }
}

/// The word and the ending of any error of the command line.
pub(crate) fn judge(error: &anyhow::Error) -> (String, Ending) {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return of_failure(failure);
        }
        if let Some(error) = cause.downcast_ref::<client::Error>() {
            return of_client(error);
        }
        if cause.is::<ServerError>() {
            return ("usage".to_owned(), Ending::Usage);
        }
        if cause.is::<StoreError>() || cause.is::<io::Error>() {
            return ("local".to_owned(), Ending::Local);
        }
    }
    ("failed".to_owned(), Ending::Refused)
}

/// What to do about a refusal, where the server's own words cannot know it, because they are for
/// all clients: how their sentence goes on.
pub(crate) fn advice(error: &anyhow::Error) -> Option<&'static str> {
    let refused = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<client::Error>());
    let Some(client::Error::Refused(problem)) = refused else {
        return None;
    };
    match problem.code.as_str() {
        "unauthenticated" if is_locked(problem) => Some(": ask whoever runs the server"),
        "unauthenticated" => Some(". Sign in again: myim login SERVER USER"),
        "not_friends" => Some(": myim contacts add NAME"),
        // A chat server knows every address that is asked for here. The ports beside it speak HTTP
        // too, and know none of them.
        "not_found" => Some(": this is not the port of a chat server, which is usually 20000"),
        _ => None,
    }
}

/// Whether the account was locked. The server has no word of its own for it: programs have to do the
/// same about every token that is over.
fn is_locked(problem: &Problem) -> bool {
    problem.detail == LOCKED_OUT
}

/// Asks whether a device that was signed out was so because its account was locked: the end of a
/// connection does not tell.
pub(crate) async fn was_locked(api: &Api) -> bool {
    matches!(api.me().await, Err(client::Error::Refused(problem)) if is_locked(&problem))
}

fn of_failure(failure: &Failure) -> (String, Ending) {
    let (word, ending) = match failure {
        Failure::Usage(_) => ("usage", Ending::Usage),
        Failure::TimedOut(_) => ("timed_out", Ending::Unreachable),
        Failure::NotSignedIn(_) => ("not_signed_in", Ending::NotSignedIn),
        Failure::Local(_) => ("local", Ending::Local),
        Failure::Interrupted(_) => ("interrupted", Ending::Interrupted),
        Failure::Refused { code, .. } => (*code, Ending::Refused),
    };
    (word.to_owned(), ending)
}

fn of_client(error: &client::Error) -> (String, Ending) {
    use client::Error;
    match error {
        Error::Refused(problem) if problem.code == "unauthenticated" => {
            (problem.code.clone(), Ending::NotSignedIn)
        }
        Error::Refused(problem) => (problem.code.clone(), Ending::Refused),
        Error::Unreachable { .. } | Error::Offline => {
            ("unreachable".to_owned(), Ending::Unreachable)
        }
        Error::Protocol { .. } => ("protocol".to_owned(), Ending::Unreachable),
        Error::Transfer(_) => ("transfer".to_owned(), Ending::Refused),
        Error::Store(_) | Error::File { .. } => ("local".to_owned(), Ending::Local),
        Error::OutboxFull => ("outbox_full".to_owned(), Ending::Refused),
        Error::Closed => ("closed".to_owned(), Ending::Unreachable),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn context_hides_no_code() {
        let failed: anyhow::Result<()> =
            Err(Failure::NotSignedIn("sign in".to_owned())).context("more words");
        let (word, ending) = judge(&failed.unwrap_err());
        assert_eq!(
            (word.as_str(), ending),
            ("not_signed_in", Ending::NotSignedIn)
        );
    }

    #[test]
    fn a_file_is_a_local_problem() {
        let error = anyhow::Error::from(io::Error::other("full"));
        assert_eq!(judge(&error).1, Ending::Local);
    }
}
