//! From somebody who proved who he is to a session that listens, and a walker that knows what its
//! device has missed.

use std::sync::Arc;
use std::time::Duration;

use common::id::{GroupId, Peer};
use common::store::{StoreError, group};
use tokio::time::timeout;

use crate::app::App;
use crate::hub::{Entrant, Seat, Session};
use crate::walker::Walker;

/// How long to wait for a session that is replaced. It may hang in a write to a client that is
/// gone; then nothing more counts as received there anyway.
const REPLACED_WAIT: Duration = Duration::from_secs(1);

/// How long to wait for one that no longer writes and saves its cursors: as long as a slow database
/// may take for a commit. What it does not save is delivered again.
const SAVED_WAIT: Duration = Duration::from_secs(10);

/// Somebody who listens.
#[derive(Debug)]
pub struct Arrival {
    pub session: Arc<Session>,
    /// Takes the session out of the hub, whatever ends this.
    pub seat: Seat,
    /// What is committed from now on rings the session's bell and must be told to the walker.
    pub walker: Walker,
}

/// Enters a session. Listening begins before the walker looks, so that nothing is missed between.
///
/// # Errors
/// When the store cannot be asked; nobody is in then.
pub async fn arrive(app: &App, entrant: Entrant) -> Result<Arrival, StoreError> {
    let (session, replaced) = app.hub.enter(entrant);
    let seat = Seat::new(Arc::clone(&app.hub), Arc::clone(&session));
    if let Some(replaced) = replaced {
        // What the replaced session delivered must not be delivered again: its cursors first.
        let gone = replaced.gone.cancelled();
        tokio::pin!(gone);
        if timeout(REPLACED_WAIT, &mut gone).await.is_err() && replaced.is_saving() {
            let _ = timeout(SAVED_WAIT, gone).await;
        }
    }
    let groups = note_groups(app, &session).await?;
    if session.is_api() && !groups.is_empty() {
        match group::sizes(&*app.store, &groups).await {
            Ok(sizes) => app.hub.set_sizes(&sizes),
            // A group of unknown size is taken for a small one: more is delivered, not less.
            Err(error) => tracing::warn!(%error, "the sizes of groups are not known"),
        }
    }
    let (store, tail) = (Arc::clone(&app.store), Arc::clone(&app.tail));
    let walker = Walker::start(store, tail, session.actor.user, session.device()).await?;
    Ok(Arrival {
        session,
        seat,
        walker,
    })
}

async fn note_groups(app: &App, session: &Session) -> Result<Vec<GroupId>, StoreError> {
    let user = session.actor.user;
    loop {
        let version = app.hub.membership_version(user);
        let peers = app.store.peers(user).await?;
        let groups: Vec<GroupId> = peers
            .into_iter()
            .filter_map(|peer| match peer {
                Peer::Group(group) => Some(group),
                Peer::User(_) => None,
            })
            .collect();
        if app.hub.set_groups(user, &groups, version) {
            return Ok(groups);
        }
    }
}
