//! Changes the own password.

use common::api::Refusal;
use common::auth::Verdict;
use common::store::Change;

use super::register::check_password;
use super::{Failure, done};
use crate::app::App;
use crate::hub::Session;

/// The old password proves that it is the owner.
#[derive(Clone)]
pub struct PasswordChange {
    pub old: String,
    pub new: String,
}

impl std::fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordChange").finish_non_exhaustive()
    }
}

/// # Errors
/// `WrongPassword`, `TooManyAttempts`, `Invalid` new password; the store's.
pub async fn set_password(
    app: &App,
    session: &Session,
    change: &PasswordChange,
) -> Result<(), Failure> {
    let account = app
        .store
        .account(session.user)
        .await?
        .ok_or(Refusal::NoSuchUser)?;
    if let Some(wait) = app.failures.wait(&session.username, session.address) {
        return Err(Failure::TooManyAttempts { wait });
    }
    let verdict = app
        .passwords
        .verify(&account.password_hash, &account.password_plain, &change.old)
        .await;
    if verdict == Verdict::Wrong {
        app.failures.note(&session.username, session.address);
        return Err(Failure::WrongPassword);
    }
    check_password(&change.new)?;
    let password_hash = app.passwords.hash(&change.new).await;
    let change = Change::SetPassword {
        user: session.user,
        password_hash,
    };
    done(&app.log.commit(change).await?).map(drop)
}
