//! Makes an account through the API, which asks for better passwords than the existing clients do.

use std::net::IpAddr;

use common::api::{Profile, Refusal};

use super::{Failure, Field, Registration, register};
use crate::app::App;

/// The shortest password, in characters, if the server does not ask for more: what can be guessed by
/// trying is shorter.
pub const PASSWORD_LENGTH_MIN: u8 = 8;

/// # Errors
/// As [`register`]; `Invalid` for a weak password.
pub async fn sign_up(app: &App, from: IpAddr, wanted: Registration) -> Result<Profile, Failure> {
    check_strength(&wanted.username, &wanted.password)?;
    let user = register(app, from, wanted).await?;
    let account = app.store.account(user).await?;
    account
        .map(|account| account.profile)
        .ok_or_else(|| Refusal::NoSuchUser.into())
}

/// Refuses what anybody would try first.
pub(super) fn check_strength(username: &str, password: &str) -> Result<(), Failure> {
    let problem = if password.chars().count() < usize::from(PASSWORD_LENGTH_MIN) {
        "is shorter than 8 characters"
    } else if password.to_lowercase() == username.to_lowercase() {
        "is the user name"
    } else {
        return Ok(());
    };
    let field = Field::PASSWORD;
    Err(Failure::Invalid { field, problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_would_try_first_is_weak() {
        assert!(check_strength("ann", "correct horse").is_ok());
        assert!(check_strength("ann", "密码密码密码密码").is_ok());
        for weak in ["", "1234567", "密码密码密码密"] {
            assert!(check_strength("ann", weak).is_err(), "{weak}");
        }
        assert!(check_strength("Annabelle", "annabellE").is_err());
    }
}
