//! Checks a name and a password.

use std::net::IpAddr;

use common::api::{Account, Refusal};
use common::auth::Verdict;
use common::id::UserId;
use common::store::{Change, admin};
use common::telemetry::metrics;

use super::{Failure, done};
use crate::app::App;

/// What somebody types to get in.
#[derive(Clone)]
pub struct Credentials {
    pub username: String,
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// # Errors
/// `NoSuchUser` and `WrongPassword`, after the same time; `AccountDisabled` for who knows the
/// password; `TooManyAttempts` after too many failed
/// ones, except for a password that was right a short while ago; the store's.
pub async fn login(app: &App, from: IpAddr, who: &Credentials) -> Result<Account, Failure> {
    let result = attempt(app, from, who).await;
    metrics::auth_attempt(match &result {
        Ok(_) => "right",
        Err(Failure::WrongPassword) => "wrong_password",
        Err(Failure::Refused(Refusal::NoSuchUser)) => "no_such_user",
        Err(Failure::Refused(Refusal::AccountDisabled)) => "disabled",
        Err(Failure::TooManyAttempts { .. }) => {
            metrics::rate_limited("login");
            "too_many"
        }
        Err(_) => "failed",
    });
    result
}

/// Refuses a locked account, and a bot of one.
///
/// # Errors
/// `AccountDisabled`; the store's.
pub async fn check_enabled(app: &App, user: UserId) -> Result<(), Failure> {
    if admin::is_disabled(&*app.store, user).await? {
        return Err(Refusal::AccountDisabled.into());
    }
    Ok(())
}

async fn attempt(app: &App, from: IpAddr, who: &Credentials) -> Result<Account, Failure> {
    let account = app.store.account_named(&who.username).await?;
    let (hash, plain) = account.as_ref().map_or(("", ""), |account| {
        (&*account.password_hash, &*account.password_plain)
    });
    if !app.passwords.is_known(hash, &who.password)
        && let Some(wait) = app.failures.wait(&who.username, from)
    {
        return Err(Failure::TooManyAttempts { wait });
    }
    let verdict = app.passwords.verify(hash, plain, &who.password).await;
    let Some(mut account) = account else {
        app.failures.note(&who.username, from);
        return Err(Refusal::NoSuchUser.into());
    };
    match verdict {
        Verdict::Wrong => {
            app.failures.note(&who.username, from);
            return Err(Failure::WrongPassword);
        }
        Verdict::Right => {}
        Verdict::RightUpgrade { password_hash } => {
            done(
                &app.log
                    .commit(Change::SetPassword {
                        user: account.id,
                        password_hash: password_hash.clone(),
                    })
                    .await?,
            )?;
            account.password_hash = password_hash;
        }
    }
    app.failures.forget(&who.username, from);
    check_enabled(app, account.id).await?;
    Ok(account)
}
