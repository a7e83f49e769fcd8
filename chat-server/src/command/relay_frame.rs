//! Passes a frame of a shared screen on to a friend who is on line; nobody keeps it.

use bytes::Bytes;
use common::api::Refusal;
use common::id::{Peer, UserId};

use super::Failure;
use crate::app::App;
use crate::hub::{Event, Session};

/// # Errors
/// `NotFriends`; the store's. That the friend is off line, or slow, is no error.
pub async fn relay_frame(
    app: &App,
    session: &Session,
    to: UserId,
    header: Bytes,
    frame: Bytes,
    tag: i32,
) -> Result<(), Failure> {
    if !app.hub.is_online(to) {
        return Ok(());
    }
    let is_friend = app
        .store
        .peers(session.actor.user)
        .await?
        .contains(&Peer::User(to));
    if !is_friend && !app.strangers_may_write() {
        return Err(Refusal::NotFriends.into());
    }
    app.hub.tell(
        to,
        &Event::RemoteDesktop {
            tag,
            header,
            frame,
            to,
        },
    );
    Ok(())
}
