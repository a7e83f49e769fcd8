//! Decides whether what broke is tried again, and when.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::live::backoff::{Backoff, random};

/// So often it may break without a byte getting through in between: with the waits below, that is
/// for a minute or two.
const FRUITLESS_MAX: u32 = 10;
/// The bound of a wait. Whoever is told to wait longer is told so instead.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Counts what broke since something got through.
#[derive(Debug)]
pub(super) struct Tries {
    backoff: Backoff,
    fruitless: u32,
    /// Whether the server has answered at all.
    answered: bool,
}

impl Tries {
    pub(super) fn new() -> Self {
        Self {
            backoff: Backoff::new(WAIT_MAX),
            fruitless: 0,
            answered: false,
        }
    }

    /// The server is there.
    pub(super) fn answered(&mut self) {
        self.answered = true;
    }

    /// Something got through.
    pub(super) fn moved(&mut self) {
        self.fruitless = 0;
        self.backoff.reset();
    }

    /// How long to wait before the next try.
    ///
    /// # Errors
    /// What broke, if that does not help: a refusal that stays, a server that was never reached, or
    /// too many tries.
    pub(super) fn after(&mut self, error: Error) -> Result<Duration> {
        let told = match wait(&error) {
            Some(told) if told <= WAIT_MAX => told,
            _ => return Err(error),
        };
        let never_reached = !self.answered && error.never_left();
        self.fruitless += 1;
        if never_reached || self.fruitless > FRUITLESS_MAX {
            return Err(error);
        }
        Ok(self.backoff.next(random()).max(told))
    }
}

/// How long to wait at least; `None` for what trying again does not help.
fn wait(error: &Error) -> Option<Duration> {
    match error {
        Error::Refused(problem) => match problem.status {
            // Another request of ours still works on it, or knows better how far it is.
            408 | 409 | 423 => Some(Duration::ZERO),
            _ => problem.retry_after(),
        },
        // A proxy that finds no server says so in words of its own.
        Error::Unreachable { .. } | Error::Protocol { .. } => Some(Duration::ZERO),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{NO_CONNECTION, Problem};

    fn broken(cause: &str) -> Error {
        Error::Unreachable {
            server: "s".to_owned(),
            cause: cause.to_owned(),
        }
    }

    #[test]
    fn a_server_that_was_never_reached_is_not_waited_for() {
        let nowhere = || broken(&format!("{NO_CONNECTION}refused"));
        assert!(Tries::new().after(nowhere()).is_err());
        let mut tries = Tries::new();
        tries.answered();
        assert_eq!(tries.after(nowhere()).unwrap(), Duration::ZERO);
    }

    #[test]
    fn it_ends_if_nothing_gets_through() {
        let mut tries = Tries::new();
        let left = |tries: &mut Tries| {
            (0..100)
                .take_while(|_| tries.after(broken("reset")).is_ok())
                .count()
        };
        assert_eq!(left(&mut tries), 10);
        tries.moved();
        assert_eq!(left(&mut tries), 10);
    }

    #[test]
    fn refusals_stay_unless_they_pass() {
        let refused =
            |status, code: &str| Error::Refused(Problem::new(code, "").with_status(status));
        for (status, code, again) in [
            (413, "file_too_large", false),
            (507, "quota_user", false),
            (401, "unauthenticated", false),
            (423, "upload_locked", true),
            (408, "too_slow", true),
            (503, "storage_unavailable", true),
        ] {
            let after = Tries::new().after(refused(status, code));
            assert_eq!(after.is_ok(), again, "{code}");
        }
    }
}
