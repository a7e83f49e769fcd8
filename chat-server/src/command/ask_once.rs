//! Asking the same thing twice in a short time: every request is an entry in somebody's inbox, and
//! nobody shall fill that.

use common::id::{GroupId, Millis, UserId};
use common::store::{StoreError, group, people};

use crate::actor::Actor;
use crate::app::App;

/// For how long an open request is not told of again, in milliseconds.
const TOLD_AGAIN_AFTER_MS: i64 = 60_000;

/// Whether the actor asked this user just now, with the same note, and has no answer yet. The
/// existing clients ask again whenever their user clicks; their requests are all told.
pub(super) async fn has_asked_user(
    app: &App,
    actor: &Actor,
    to: UserId,
    note: &str,
) -> Result<bool, StoreError> {
    if !actor.device.acknowledges() {
        return Ok(false);
    }
    let open = people::request(&*app.store, actor.user, to).await?;
    Ok(open.is_some_and(|open| open.note == note && is_recent(app, open.at)))
}

/// As [`has_asked_user`], for a group.
pub(super) async fn has_asked_group(
    app: &App,
    actor: &Actor,
    group: GroupId,
    note: &str,
) -> Result<bool, StoreError> {
    if !actor.device.acknowledges() {
        return Ok(false);
    }
    let open = group::join_request(&*app.store, group, actor.user).await?;
    Ok(open.is_some_and(|open| open.note == note && is_recent(app, open.at)))
}

fn is_recent(app: &App, at: Millis) -> bool {
    app.clock.now().0 < at.0.saturating_add(TOLD_AGAIN_AFTER_MS)
}
