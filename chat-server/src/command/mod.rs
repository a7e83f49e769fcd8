//! What a user may do, and what an action means: one verb, one file.
//!
//! **Invariant:** a command returns its reply; it never sees a connection or a packet, and writes
//! only through the log.

mod answer_friend;
mod change_group;
mod edit_contacts;
mod find;
mod login;
mod register;
mod relay_frame;
mod remove_friend;
mod request_friend;
mod send;
mod set_password;
mod set_profile;
mod set_status;

use common::api::Refusal;
use common::store::{Outcome, StoreError};
use thiserror::Error;

pub use answer_friend::answer_friend;
pub use change_group::{create_group, join_group, leave_group, members};
pub use edit_contacts::{contacts, edit_teams, move_contact, set_remark};
pub use find::find;
pub use login::{Credentials, login};
pub use register::{Registration, register};
pub use relay_frame::relay_frame;
pub use remove_friend::remove_friend;
pub use request_friend::request_friend;
pub use send::{Sending, send};
pub use set_password::{PasswordChange, set_password};
pub use set_profile::set_profile;
pub use set_status::set_status;

/// Why a command did nothing.
#[derive(Clone, Debug, Error)]
pub enum Failure {
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// Something in the request cannot be.
    #[error("{field} {problem}")]
    Invalid {
        field: &'static str,
        problem: &'static str,
    },
    /// The user name or the password is wrong.
    #[error("the password is wrong")]
    WrongPassword,
    #[error("too many attempts; try again in {} s", .wait.as_secs().max(1))]
    TooManyAttempts { wait: std::time::Duration },
    #[error("registration is closed on this server")]
    RegistrationClosed,
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// A change that was saved, or the reason why not.
fn done(outcome: &Outcome) -> Result<Option<u32>, Failure> {
    match outcome {
        Outcome::Done { id, .. } => Ok(*id),
        Outcome::AlreadyThere { .. } => Ok(None),
        Outcome::Refused(refusal) => Err(Failure::Refused(*refusal)),
    }
}

/// Checks that a text has at most so many bytes, and no control characters.
fn check_text(field: &'static str, text: &str, bytes_max: usize) -> Result<(), Failure> {
    if text.len() > bytes_max {
        return Err(Failure::Invalid {
            field,
            problem: "is too long",
        });
    }
    if text.chars().any(char::is_control) {
        return Err(Failure::Invalid {
            field,
            problem: "has control characters",
        });
    }
    Ok(())
}

/// Checks a name that people see: not empty, and free of the marks that turn text around.
fn check_name(field: &'static str, text: &str, bytes_max: usize) -> Result<(), Failure> {
    if text.trim().is_empty() {
        return Err(Failure::Invalid {
            field,
            problem: "is empty",
        });
    }
    if text.chars().any(is_direction_mark) {
        return Err(Failure::Invalid {
            field,
            problem: "has invisible direction marks",
        });
    }
    check_text(field, text, bytes_max)
}

/// Marks that change the direction of text: a name with one can pass for another name.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_visible() {
        assert!(check_name("name", "Ann 昵", 31).is_ok());
        assert!(check_name("name", "🙂'\"; DROP TABLE", 31).is_ok());
        for bad in ["", "  ", "a\nb", "a\u{202e}b", "a\u{0}b", &"x".repeat(32)] {
            assert!(check_name("name", bad, 31).is_err(), "{bad:?}");
        }
    }
}
