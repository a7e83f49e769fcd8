//! Asks somebody to be a friend.

use common::id::UserId;
use common::store::Change;

use super::{Failure, done};
use crate::app::App;
use crate::hub::Session;

/// # Errors
/// `Oneself`, `NoSuchUser`, `AlreadyFriends`, `TooMany`; the store's.
pub async fn request_friend(
    app: &App,
    session: &Session,
    to: UserId,
    tag: i32,
) -> Result<(), Failure> {
    let change = Change::RequestFriend {
        origin: app.origin(session, tag),
        username: session.username.to_string(),
        to,
        limit: app.config.friends_max,
    };
    done(&app.log.commit(change).await?).map(drop)
}
