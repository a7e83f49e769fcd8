//! Asks somebody to be a friend.

use common::id::UserId;
use common::store::{Change, Outcome};

use super::ask_once::has_asked_user;
use super::rule_group::NOTE_BYTES_MAX;
use super::{Failure, check_text, done};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// Returns whether this was asked before: under the same client id, or less than a minute ago.
///
/// # Errors
/// `Invalid` note, `Oneself`, `NoSuchUser`, `AlreadyFriends`, `TooMany`; the store's.
pub async fn request_friend(
    app: &App,
    actor: &Actor,
    to: UserId,
    note: String,
    mark: Mark,
) -> Result<bool, Failure> {
    check_text("the note", &note, NOTE_BYTES_MAX)?;
    if has_asked_user(app, actor, to, &note).await? {
        return Ok(true);
    }
    let change = Change::RequestFriend {
        origin: app.origin(actor, mark),
        username: actor.username.to_string(),
        to,
        note,
        limit: app.config.friends_max,
    };
    let outcome = app.log.commit(change).await?;
    done(&outcome)?;
    Ok(matches!(outcome, Outcome::AlreadyThere { .. }))
}
