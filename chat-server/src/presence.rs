//! Tells friends who is on line. Not part of the log: what is missed is read with the next contact
//! list.

use common::id::{Peer, UserId};
use common::store::StoreError;

use crate::app::App;
use crate::hub::{Event, Presence};

/// Tells the friends of a user what he just said of himself: with which status he logged in, or
/// changed to.
///
/// # Errors
/// When the store cannot say who his friends are; nobody was told.
pub async fn announce_status(app: &App, user: UserId, status: i32) -> Result<(), StoreError> {
    let presence = Presence {
        status,
        ..app.hub.presence(user)
    };
    tell_friends(app, user, &Event::Presence { user, presence }).await
}

/// Tells the friends of a user where he still is, now that one of his sessions ended.
///
/// # Errors
/// When the store cannot say who his friends are; nobody was told.
pub async fn announce(app: &App, user: UserId) -> Result<(), StoreError> {
    let presence = app.hub.presence(user);
    tell_friends(app, user, &Event::Presence { user, presence }).await
}

/// Tells the friends of a user, and his own other sessions, that his profile changed.
///
/// # Errors
/// When the store cannot say who his friends are; nobody was told.
pub async fn announce_profile(app: &App, user: UserId, but: u64) -> Result<(), StoreError> {
    let event = Event::ProfileChanged {
        peer: Peer::User(user),
    };
    app.hub.tell_but(user, Some(but), &event);
    tell_friends(app, user, &event).await
}

async fn tell_friends(app: &App, user: UserId, event: &Event) -> Result<(), StoreError> {
    for peer in app.store.peers(user).await? {
        if let Peer::User(friend) = peer {
            app.hub.tell(friend, event);
        }
    }
    Ok(())
}
