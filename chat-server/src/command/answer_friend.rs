//! Says yes or no to a friend request.

use common::api::{Profile, Refusal};
use common::id::{Peer, UserId};
use common::store::Change;

use super::{Failure, done};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// Returns the profile of the one who had asked.
///
/// # Errors
/// `NotRequested`, `AlreadyFriends`, `TooMany`, `NoSuchUser`; the store's.
pub async fn answer_friend(
    app: &App,
    actor: &Actor,
    to: UserId,
    accepted: bool,
    mark: Mark,
) -> Result<Profile, Failure> {
    let change = Change::AnswerFriend {
        origin: app.origin(actor, mark),
        username: actor.username.to_string(),
        to,
        accepted,
        limit: app.config.friends_max,
    };
    done(&app.log.commit(change).await?)?;
    let mut profiles = app.store.profiles(&[Peer::User(to)]).await?;
    profiles.pop().ok_or_else(|| Refusal::NoSuchUser.into())
}
