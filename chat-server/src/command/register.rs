//! Makes an account.

use std::net::IpAddr;
use std::time::Duration;

use common::api::{NewAccount, Refusal};
use common::auth::PASSWORD_BYTES_MAX;
use common::config::Registration as Policy;
use common::id::{Peer, UserId};
use common::store::Change;

use super::{Failure, Field, check_name, done};
use crate::app::App;

/// The longest nickname, in bytes: the Windows client's buffers hold 63.
pub(super) const NICKNAME_BYTES_MAX: usize = 63;

/// What somebody fills in.
#[derive(Clone)]
pub struct Registration {
    pub username: String,
    pub nickname: String,
    pub password: String,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// # Errors
/// `UsernameTaken`; `Invalid` for a field that cannot be; `TooManyAttempts` from one address;
/// `RegistrationClosed`; the store's.
pub async fn register(app: &App, from: IpAddr, wanted: Registration) -> Result<UserId, Failure> {
    if app.config.registration == Policy::Closed {
        return Err(Failure::RegistrationClosed);
    }
    let username_bytes_max = usize::try_from(app.config.username_bytes_max).unwrap_or(usize::MAX);
    check_name(Field::USERNAME, &wanted.username, username_bytes_max)?;
    check_name("the nickname", &wanted.nickname, NICKNAME_BYTES_MAX)?;
    check_password(&wanted.password)?;
    if !app.registrations.take(from) {
        return Err(Failure::TooManyAttempts {
            wait: Duration::from_secs(60),
        });
    }
    // Asked before hashing, which is expensive; decided again inside the commit.
    if app.store.profile_named(&wanted.username).await?.is_some() {
        return Err(Refusal::UsernameTaken.into());
    }
    let account = NewAccount {
        username: wanted.username,
        nickname: wanted.nickname,
        password_hash: app.passwords.hash(&wanted.password).await,
    };
    let change = Change::CreateAccount {
        account,
        at: app.clock.now(),
    };
    let id = done(&app.log.commit(change).await?)?;
    match id.and_then(Peer::from_number) {
        Some(Peer::User(user)) => Ok(user),
        Some(Peer::Group(_)) | None => Err(Refusal::TooMany.into()),
    }
}

pub(super) fn check_password(password: &str) -> Result<(), Failure> {
    let field = Field::PASSWORD;
    match password.len() {
        0 => Err(Failure::Invalid {
            field,
            problem: "is empty",
        }),
        1..=PASSWORD_BYTES_MAX => Ok(()),
        _ => Err(Failure::Invalid {
            field,
            problem: "is too long",
        }),
    }
}
