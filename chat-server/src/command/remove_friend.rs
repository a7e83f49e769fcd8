//! Ends a friendship.

use common::api::{Profile, Refusal};
use common::id::{Peer, UserId};
use common::store::Change;

use super::{Failure, done};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// Returns the profile of the former friend.
///
/// # Errors
/// `NotFriends`; the store's.
pub async fn remove_friend(
    app: &App,
    actor: &Actor,
    friend: UserId,
    mark: Mark,
) -> Result<Profile, Failure> {
    let change = Change::RemoveFriend {
        origin: app.origin(actor, mark),
        username: actor.username.to_string(),
        friend,
    };
    done(&app.log.commit(change).await?)?;
    let mut profiles = app.store.profiles(&[Peer::User(friend)]).await?;
    profiles.pop().ok_or_else(|| Refusal::NoSuchUser.into())
}
