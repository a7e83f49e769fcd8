//! Ends connections whose sign-in is over, or whose account is locked, where nobody told them.
//!
//! What this server does it tells its sessions at once. Another server on the same database cannot,
//! and an answer of the database that got lost leaves nobody to do it. So the database is asked
//! every few seconds about everybody on line, many at a time.

use std::sync::Arc;
use std::time::Duration;

use common::id::{SessionId, UserId};
use common::store::{StoreError, admin, session};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::hub::Session;

/// How long a connection lives on at the most, about. As long as a sign-in is believed that was
/// looked up a moment ago.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// How many sessions are asked about at a time.
const ASKED_AT_A_TIME: usize = 500;

/// Looks after everybody on line until `shutdown`.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    loop {
        let wait = tokio::time::sleep(CHECK_EVERY);
        if shutdown.run_until_cancelled(wait).await.is_none() {
            return;
        }
        let checked = shutdown.run_until_cancelled(check(&app)).await;
        if let Some(Err(error)) = checked {
            tracing::warn!(%error, "who is on line could not be checked; trying again");
        }
    }
}

/// Ends the sessions that should not be on line.
///
/// # Errors
/// When the database cannot be asked.
pub async fn check(app: &App) -> Result<(), StoreError> {
    for some in app.hub.sessions().chunks(ASKED_AT_A_TIME) {
        end_signed_out(app, some).await?;
        end_locked(app, some).await?;
    }
    Ok(())
}

/// Those of the API: a lock has ended their sign-ins too.
async fn end_signed_out(app: &App, sessions: &[Arc<Session>]) -> Result<(), StoreError> {
    let sign_in = |session: &Arc<Session>| Some((session.actor.user, session.sign_in?));
    let asked: Vec<(UserId, SessionId)> = sessions.iter().filter_map(sign_in).collect();
    let numbers: Vec<_> = asked.iter().map(|(_, session)| *session).collect();
    let going_on = session::going_on(&*app.store, &numbers).await?;
    for (user, ended) in asked {
        if !going_on.contains(&ended) {
            app.sessions.forget(user, |session| session == ended);
            app.hub.end_api_sessions(user, |session| session == ended);
        }
    }
    Ok(())
}

/// Those of the existing clients, and webhooks.
async fn end_locked(app: &App, sessions: &[Arc<Session>]) -> Result<(), StoreError> {
    let without = sessions.iter().filter(|session| session.sign_in.is_none());
    let mut users: Vec<_> = without.map(|session| session.actor.user).collect();
    users.sort_unstable();
    users.dedup();
    for user in admin::disabled_among(&*app.store, &users).await? {
        app.hub.end_all(user);
    }
    Ok(())
}
