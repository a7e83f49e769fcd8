//! Open contact requests: looking at them, answering and taking back by their number.

use common::api::{Profile, Refusal};
use common::id::RequestId;
use common::store::Change;
use common::store::people::{self, FriendRequest, PeopleChange};

use super::{Failure, answer_friend, done, persons};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// A request from or to the actor, with the other one's profile.
#[derive(Clone, Debug)]
pub struct SeenRequest {
    pub request: FriendRequest,
    pub other: Profile,
}

/// All open requests from and to the actor, the newest first.
///
/// # Errors
/// The store's.
pub async fn requests(app: &App, actor: &Actor) -> Result<Vec<SeenRequest>, Failure> {
    let requests = people::requests(&*app.store, actor.user).await?;
    let other = |request: &FriendRequest| {
        if request.from == actor.user {
            request.to
        } else {
            request.from
        }
    };
    let others: Vec<_> = requests.iter().map(other).collect();
    let profiles = persons(app, actor, &others).await?;
    let seen = requests.into_iter().filter_map(|request| {
        let id = common::id::Peer::User(other(&request));
        let other = profiles.iter().find(|profile| profile.id == id)?.clone();
        Some(SeenRequest { request, other })
    });
    Ok(seen.collect())
}

/// One open request from or to the actor.
///
/// # Errors
/// `NotRequested`; the store's.
pub async fn request(app: &App, actor: &Actor, id: RequestId) -> Result<SeenRequest, Failure> {
    let mut all = requests(app, actor).await?.into_iter();
    let found = all.find(|seen| (seen.request.from, seen.request.to) == (id.from, id.to));
    found.ok_or_else(|| Refusal::NotRequested.into())
}

/// Says yes or no. Returns the profile of who had asked.
///
/// # Errors
/// `NotRequested` (also for a request to somebody else), `AlreadyFriends`, `TooMany`; the store's.
pub async fn answer_request(
    app: &App,
    actor: &Actor,
    request: RequestId,
    accepted: bool,
    mark: Mark,
) -> Result<Profile, Failure> {
    if request.to != actor.user {
        return Err(Refusal::NotRequested.into());
    }
    let asker = answer_friend(app, actor, request.from, accepted, mark).await?;
    Ok(super::as_seen_by(actor.user, asker))
}

/// Takes an own request back.
///
/// # Errors
/// `NotRequested` (also for somebody else's request); the store's.
pub async fn cancel_request(app: &App, actor: &Actor, request: RequestId) -> Result<(), Failure> {
    if request.from != actor.user {
        return Err(Refusal::NotRequested.into());
    }
    let RequestId { from, to } = request;
    let change = Change::People(PeopleChange::CancelRequest { from, to });
    done(&app.log.commit(change).await?).map(drop)
}
