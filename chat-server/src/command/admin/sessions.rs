//! Looking at sign-ins, and ending them.

use std::sync::Arc;

use common::api::Refusal;
use common::id::{Peer, SessionId, UserId};
use common::store::Change;
use common::store::session::{self, SessionChange, SignIn};

use super::accounts::existing;
use super::{Administrator, Deed, carry_out};
use crate::app::App;
use crate::command::sign_in::ended;
use crate::command::{Failure, uncancelled};

/// A sign-in and whose it is.
#[derive(Clone, Debug)]
pub struct ListedSession {
    pub sign_in: SignIn,
    pub username: String,
    /// Whether the device has a connection at this moment.
    pub is_connected: bool,
}

/// Sign-ins of all users, in the order of their numbers. Some may be over already.
///
/// # Errors
/// The store's.
pub async fn sessions(
    app: &App,
    _who: &Administrator,
    after: SessionId,
    limit: u32,
) -> Result<Vec<ListedSession>, Failure> {
    let found = session::list(&*app.store, after, limit).await?;
    let mut users: Vec<Peer> = found.iter().map(|one| Peer::User(one.user)).collect();
    users.sort_unstable();
    users.dedup();
    let profiles = app.store.profiles(&users).await?;
    let named = found.into_iter().map(|sign_in| {
        let of_user = |profile: &&common::api::Profile| profile.id == Peer::User(sign_in.user);
        let profile = profiles.iter().find(of_user);
        let username = profile.map(|profile| profile.username.clone());
        listed(app, sign_in, username.unwrap_or_default())
    });
    Ok(named.collect())
}

/// The sign-ins of a user, last used first.
///
/// # Errors
/// `NoSuchUser`; the store's.
pub async fn sessions_of(
    app: &App,
    _who: &Administrator,
    user: UserId,
) -> Result<Vec<ListedSession>, Failure> {
    let account = existing(app, user).await?;
    let found = session::of_user(&*app.store, user).await?;
    let listed = found
        .into_iter()
        .map(|sign_in| listed(app, sign_in, account.username.clone()));
    Ok(listed.collect())
}

fn listed(app: &App, sign_in: SignIn, username: String) -> ListedSession {
    let on_line = app.hub.api_sessions(sign_in.user);
    ListedSession {
        is_connected: on_line.contains(&sign_in.session),
        username,
        sign_in,
    }
}

/// Signs a device out, whoever's it is. Its connection ends.
///
/// # Errors
/// `NoSuchSession`, `NotAnAdmin`; the store's.
pub async fn end_session(
    app: &Arc<App>,
    who: &Administrator,
    session: SessionId,
) -> Result<(), Failure> {
    let found = session::get(&*app.store, session).await?;
    let user = found.ok_or(Refusal::NoSuchSession)?.user;
    let account = existing(app, user).await?;
    let change = Change::Session(SessionChange::End { user, session });
    let detail = format!("of user {user} ({})", account.username);
    let deed = Deed::new("session.end", format!("session:{session}"), detail);
    let who = who.clone();
    uncancelled(app, |app| async move {
        carry_out(&app, &who, deed, change).await?;
        ended(&app, user, |other| other == session);
        Ok(())
    })
    .await
}
