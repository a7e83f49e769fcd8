//! Makes an account.

use std::net::IpAddr;
use std::time::Duration;

use common::api::{NewAccount, Refusal};
use common::auth::PASSWORD_BYTES_MAX;
use common::config::Registration as Policy;
use common::id::{Peer, UserId};
use common::store::{Change, invite, name_look};

use super::{Failure, Field, check_name, check_username, done, too_long};
use crate::app::App;

/// The longest nickname, in bytes: the Windows client's buffers hold 63.
pub const NICKNAME_BYTES_MAX: usize = 63;

/// What somebody fills in.
#[derive(Clone)]
pub struct Registration {
    pub username: String,
    pub nickname: String,
    pub password: String,
    /// The code of an invite, for servers that ask for one.
    pub invite: Option<String>,
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
/// `RegistrationClosed`, `InviteNeeded`, `InviteInvalid`; the store's.
pub async fn register(app: &App, from: IpAddr, wanted: Registration) -> Result<UserId, Failure> {
    let invite = match (app.config.registration, &wanted.invite) {
        (Policy::Open, _) => None,
        (Policy::Closed, _) => return Err(Failure::RegistrationClosed),
        (Policy::Invite, None) => return Err(Failure::InviteNeeded),
        (Policy::Invite, Some(code)) => Some(code.clone()),
    };
    check(app, &wanted)?;
    if !app.registrations.take(from) {
        return Err(Failure::TooManyAttempts {
            wait: Duration::from_secs(60),
        });
    }
    let at = app.clock.now();
    // Asked before hashing, which is expensive; decided again inside the commit.
    if let Some(code) = &invite {
        let found = invite::get(&*app.store, code).await?;
        if !found.is_some_and(|invite| invite.is_good(at)) {
            return Err(Refusal::InviteInvalid.into());
        }
    }
    let change = new_account(app, wanted).await?;
    let change = match invite {
        None => change,
        Some(code) => Change::Invited {
            change: Box::new(change),
            code,
            at,
        },
    };
    numbered(done(&app.log.commit(change).await?)?)
}

/// Whether an account could look so.
pub(super) fn check(app: &App, wanted: &Registration) -> Result<(), Failure> {
    let username_bytes_max = usize::try_from(app.config.username_bytes_max).unwrap_or(usize::MAX);
    check_username(&wanted.username, username_bytes_max)?;
    check_name("the nickname", &wanted.nickname, NICKNAME_BYTES_MAX)?;
    check_password(app, &wanted.password)
}

/// The change that makes the account, if its name is free.
pub(super) async fn new_account(app: &App, wanted: Registration) -> Result<Change, Failure> {
    // Asked before hashing, which is expensive; decided again inside the commit.
    let is_taken = app.store.profile_named(&wanted.username).await?.is_some()
        || name_look::is_known(&*app.store, &wanted.username).await?;
    if is_taken {
        return Err(Refusal::UsernameTaken.into());
    }
    let account = NewAccount {
        username: wanted.username,
        nickname: wanted.nickname,
        password_hash: app.passwords.hash(&wanted.password).await,
    };
    Ok(Change::CreateAccount {
        account,
        at: app.clock.now(),
    })
}

/// The number of a new account.
pub(super) fn numbered(id: Option<u32>) -> Result<UserId, Failure> {
    match id.and_then(Peer::from_number) {
        Some(Peer::User(user)) => Ok(user),
        Some(Peer::Group(_)) | None => Err(Refusal::TooMany.into()),
    }
}

/// What holds for a new password whatever it is set through. The API asks for more, see
/// [`sign_up`](super::sign_up()).
pub(super) fn check_password(app: &App, password: &str) -> Result<(), Failure> {
    let field = Field::PASSWORD;
    let chars_min = usize::try_from(app.config.password_chars_min).unwrap_or(usize::MAX);
    let problem = match password.len() {
        0 => "is empty",
        1..=PASSWORD_BYTES_MAX if password.chars().count() >= chars_min => return Ok(()),
        1..=PASSWORD_BYTES_MAX => "is shorter than this server asks for",
        _ => return Err(too_long(field, PASSWORD_BYTES_MAX)),
    };
    Err(Failure::Invalid { field, problem })
}
