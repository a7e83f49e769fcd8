//! Making accounts for others, locking them, giving them passwords and roles.

use std::sync::Arc;

use common::api::Refusal;
use common::id::UserId;
use common::store::admin::{self, AdminChange, ListedAccount};
use common::store::{Change, bot};

use super::{Administrator, Deed, carry_out, random};
use crate::app::App;
use crate::command::register::{check, check_password, new_account, numbered};
use crate::command::sign_in::ended;
use crate::command::sign_up::check_strength;
use crate::command::{Failure, Registration, uncancelled};

/// The length of a password that nobody chose; each letter is worth 5 bits.
const PASSWORD_LENGTH: usize = 20;

/// Somebody who gets an account.
#[derive(Clone)]
pub struct NewUser {
    pub username: String,
    /// Made by the server if it is left out.
    pub password: Option<String>,
    pub nickname: Option<String>,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// An account that was made, or got another password.
#[derive(Clone)]
pub struct Made {
    pub account: ListedAccount,
    /// What the server made up. It is told this once.
    pub password: Option<String>,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// A password that nobody has to think of.
///
/// # Errors
/// If the operating system gives no random numbers.
fn strong_password() -> Result<String, Failure> {
    Ok(random(PASSWORD_LENGTH)?)
}

/// Makes an account, also where nobody may make his own.
///
/// # Errors
/// `UsernameTaken`, `Invalid` for a field that cannot be, `NotAnAdmin`; the store's.
pub async fn make_account(app: &App, who: &Administrator, new: NewUser) -> Result<Made, Failure> {
    let made_up = match &new.password {
        Some(_) => None,
        None => Some(strong_password()?),
    };
    let password = new.password.or_else(|| made_up.clone());
    let wanted = Registration {
        nickname: new.nickname.unwrap_or_else(|| new.username.clone()),
        username: new.username,
        password: password.unwrap_or_default(),
        invite: None,
    };
    check(app, &wanted)?;
    check_strength(&wanted.username, &wanted.password)?;
    let deed = Deed::new("user.create", "user:", wanted.username.clone());
    let change = new_account(app, wanted).await?;
    let user = numbered(carry_out(app, who, deed, change).await?)?;
    Ok(Made {
        account: existing(app, user).await?,
        password: made_up,
    })
}

/// Locks an account: nobody gets in any more, and who is in is out, he and his bots. Nothing of it is
/// lost.
///
/// # Errors
/// `NoSuchUser`, `Oneself`, `NotAnAdmin`; the store's.
pub async fn disable(app: &Arc<App>, who: &Administrator, user: UserId) -> Result<(), Failure> {
    let account = existing(app, user).await?;
    if who.user == user {
        return Err(Refusal::Oneself.into());
    }
    let at = app.clock.now();
    let change = Change::Admin(AdminChange::Disable { user, at });
    let deed = Deed::new("user.disable", target(user), account.username);
    let who = who.clone();
    uncancelled(app, |app| async move {
        carry_out(&app, &who, deed, change).await?;
        throw_out(&app, user);
        app.webhooks.account_changed(user);
        for bot in bot::of_owner(&*app.store, user).await? {
            throw_out(&app, bot);
        }
        Ok(())
    })
    .await
}

/// Lets an account in again.
///
/// # Errors
/// `NoSuchUser`, `NotAnAdmin`; the store's.
pub async fn enable(app: &Arc<App>, who: &Administrator, user: UserId) -> Result<(), Failure> {
    let account = existing(app, user).await?;
    let change = Change::Admin(AdminChange::Enable { user });
    let deed = Deed::new("user.enable", target(user), account.username);
    let who = who.clone();
    uncancelled(app, |app| async move {
        carry_out(&app, &who, deed, change).await?;
        app.webhooks.account_changed(user);
        Ok(())
    })
    .await
}

/// Gives an account another password, and signs all its devices out. Without a password the server
/// makes one.
///
/// # Errors
/// `NoSuchUser`, `NotForBots`, `Invalid` password, `NotAnAdmin`; the store's.
pub async fn reset_password(
    app: &Arc<App>,
    who: &Administrator,
    user: UserId,
    password: Option<String>,
) -> Result<Made, Failure> {
    let account = existing(app, user).await?;
    if account.is_bot {
        return Err(Failure::NotForBots);
    }
    let made_up = match &password {
        Some(_) => None,
        None => Some(strong_password()?),
    };
    let password = password.or_else(|| made_up.clone()).unwrap_or_default();
    check_password(app, &password)?;
    check_strength(&account.username, &password)?;
    let password_hash = app.passwords.hash(&password).await;
    let change = Change::Admin(AdminChange::ResetPassword {
        user,
        password_hash,
    });
    let deed = Deed::new("user.password", target(user), account.username.clone());
    let who = who.clone();
    uncancelled(app, |app| async move {
        carry_out(&app, &who, deed, change).await?;
        throw_out(&app, user);
        Ok(())
    })
    .await?;
    Ok(Made {
        account,
        password: made_up,
    })
}

/// Makes an administrator, or an ordinary user again. A bot is none: whoever has its token would be
/// one without a password.
///
/// # Errors
/// `NoSuchUser`, `NotForBots`, `LastAdmin`, `NotAnAdmin`; the store's.
pub async fn set_role(
    app: &App,
    who: &Administrator,
    user: UserId,
    is_admin: bool,
) -> Result<(), Failure> {
    let account = existing(app, user).await?;
    if account.is_bot && is_admin {
        return Err(Failure::NotForBots);
    }
    let change = Change::Admin(AdminChange::SetRole {
        user,
        is_admin,
        by: who.user,
    });
    let role = if is_admin { "admin" } else { "user" };
    let detail = format!("{} is {role}", account.username);
    let deed = Deed::new("user.role", target(user), detail);
    carry_out(app, who, deed, change).await.map(drop)
}

/// How a user is called in the book.
pub(super) fn target(user: UserId) -> String {
    format!("user:{user}")
}

pub(super) async fn existing(app: &App, user: UserId) -> Result<ListedAccount, Failure> {
    let account = admin::get(&*app.store, user).await?;
    account.ok_or_else(|| Refusal::NoSuchUser.into())
}

/// Ends everything that a user has open on this server.
fn throw_out(app: &App, user: UserId) {
    ended(app, user, |_| true);
    app.hub.end_all(user);
}
