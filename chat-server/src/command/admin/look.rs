//! Looking at accounts, at the book, and at how much there is.

use std::time::Duration;

use common::config::InForce;
use common::id::UserId;
use common::store::admin::{self, ListedAccount, Sought};
use common::store::audit::{self, Line};
use common::store::file::{self, Kept};
use common::store::meta;
use common::store::stats::{self, Stored};
use common::telemetry::Line as Complaint;

use super::Administrator;
use super::accounts::existing;
use crate::activity::Sample;
use crate::app::App;
use crate::command::Failure;
use crate::hub::Manner;

/// Accounts in the order of their numbers.
///
/// # Errors
/// The store's.
pub async fn accounts(
    app: &App,
    _who: &Administrator,
    sought: &Sought,
) -> Result<Vec<ListedAccount>, Failure> {
    Ok(admin::list(&*app.store, sought).await?)
}

/// One account.
///
/// # Errors
/// `NoSuchUser`; the store's.
pub async fn account(
    app: &App,
    _who: &Administrator,
    user: UserId,
) -> Result<ListedAccount, Failure> {
    existing(app, user).await
}

/// What administrators did, the newest first.
///
/// # Errors
/// The store's.
pub async fn book(
    app: &App,
    _who: &Administrator,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<Line>, Failure> {
    Ok(audit::list(&*app.store, before, limit).await?)
}

/// How the server did during the last hour.
pub fn activity(app: &App, _who: &Administrator) -> Vec<Sample> {
    app.activity.samples()
}

/// The last warnings and errors of the log, the newest first.
pub fn errors(app: &App, _who: &Administrator) -> Vec<Complaint> {
    app.insight.recent.lines()
}

/// The settings in force.
pub fn settings(app: &App, _who: &Administrator) -> Vec<InForce> {
    app.config.in_force.clone()
}

/// How much room files take, and why they are kept.
///
/// # Errors
/// The store's.
pub async fn files(app: &App, _who: &Administrator) -> Result<Kept, Failure> {
    Ok(file::kept(&*app.store).await?)
}

/// How much there is, and how it goes.
#[derive(Clone, Debug)]
pub struct Stats {
    pub uptime: Duration,
    pub epoch: u32,
    pub stored: Stored,
    pub online_users: usize,
    /// How many connections hear in each manner.
    pub connections: [(Manner, usize); 5],
    /// Changes that wait to be saved.
    pub log_queue: usize,
}

/// Counts everything.
///
/// # Errors
/// The store's.
pub async fn stats(app: &App, _who: &Administrator) -> Result<Stats, Failure> {
    let sessions = app.hub.sessions();
    let manners = [
        Manner::Flamingo,
        Manner::WebSocket,
        Manner::Stream,
        Manner::Poll,
        Manner::Webhook,
    ];
    let connections = manners.map(|manner| {
        let alike = sessions.iter().filter(|session| session.manner == manner);
        (manner, alike.count())
    });
    Ok(Stats {
        uptime: app.began.elapsed(),
        epoch: meta::epoch(&*app.store).await?,
        stored: stats::stored(&*app.store).await?,
        online_users: app.hub.users_count(),
        connections,
        log_queue: app.log.waiting(),
    })
}
