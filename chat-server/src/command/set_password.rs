//! Changes the own password.

use std::sync::Arc;

use common::api::Refusal;
use common::auth::Verdict;
use common::id::SessionId;
use common::store::Change;
use common::store::session::SessionChange;

use super::register::check_password;
use super::sign_in::ended;
use super::sign_up::check_strength;
use super::{Failure, SignedIn, done, uncancelled};
use crate::actor::Actor;
use crate::app::App;

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

/// Changes the password and signs every device of the API out but the session `but`: who learned
/// the old password is out then.
///
/// # Errors
/// `WrongPassword`, `TooManyAttempts`, `Invalid` new password; the store's.
pub async fn set_password(
    app: &Arc<App>,
    actor: &Actor,
    change: &PasswordChange,
    but: Option<SessionId>,
) -> Result<(), Failure> {
    let account = app
        .store
        .account(actor.user)
        .await?
        .ok_or(Refusal::NoSuchUser)?;
    if let Some(wait) = app.failures.wait(&actor.username, actor.address) {
        return Err(Failure::TooManyAttempts { wait });
    }
    let verdict = app
        .passwords
        .verify(&account.password_hash, &account.password_plain, &change.old)
        .await;
    if verdict == Verdict::Wrong {
        app.failures.note(&actor.username, actor.address);
        return Err(Failure::WrongPassword);
    }
    check_password(app, &change.new)?;
    let new_hash = app.passwords.hash(&change.new).await;
    let user = actor.user;
    let change = SessionChange::NewPassword {
        user,
        old_hash: account.password_hash,
        new_hash,
        but,
    };
    let changed = uncancelled(app, |app| async move {
        done(&app.log.commit(Change::Session(change)).await?)?;
        ended(&app, user, |session| Some(session) != but);
        Ok(())
    });
    match changed.await {
        Err(Failure::Refused(Refusal::PasswordChanged)) => Err(Failure::WrongPassword),
        other => other,
    }
}

/// As [`set_password`], for a device of the API: the new password must not be weak.
///
/// # Errors
/// As [`set_password`]; `NotForBots`.
pub async fn replace_password(
    app: &Arc<App>,
    signed: &SignedIn,
    change: &PasswordChange,
) -> Result<(), Failure> {
    if signed.is_bot {
        return Err(Failure::NotForBots);
    }
    check_strength(&signed.actor.username, &change.new)?;
    set_password(app, &signed.actor, change, Some(signed.session)).await
}
