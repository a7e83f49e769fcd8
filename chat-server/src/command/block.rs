//! Whom a user does not want to hear from.

use common::api::Profile;
use common::id::{Millis, Peer, UserId};
use common::store::Change;
use common::store::block::{self, BlockChange};

use super::{Failure, done, persons};
use crate::actor::Actor;
use crate::app::App;

/// Blocking again changes nothing.
///
/// # Errors
/// `Oneself`, `NoSuchUser`; the store's.
pub async fn block(app: &App, actor: &Actor, blocked: UserId) -> Result<(), Failure> {
    let change = BlockChange::Add {
        user: actor.user,
        blocked,
        at: app.clock.now(),
    };
    done(&app.log.commit(Change::Block(change)).await?).map(drop)
}

/// # Errors
/// The store's.
pub async fn unblock(app: &App, actor: &Actor, blocked: UserId) -> Result<(), Failure> {
    let user = actor.user;
    let change = BlockChange::Remove { user, blocked };
    done(&app.log.commit(Change::Block(change)).await?).map(drop)
}

/// Whom the actor blocked, and since when, the newest first.
///
/// # Errors
/// The store's.
pub async fn blocks(app: &App, actor: &Actor) -> Result<Vec<(Profile, Millis)>, Failure> {
    let blocked = block::of_user(&*app.store, actor.user).await?;
    let users: Vec<_> = blocked.iter().map(|(user, _)| *user).collect();
    let profiles = persons(app, actor, &users).await?;
    let seen = blocked.into_iter().filter_map(|(user, since)| {
        let id = Peer::User(user);
        let profile = profiles.iter().find(|profile| profile.id == id)?.clone();
        Some((profile, since))
    });
    Ok(seen.collect())
}
