//! Passes a frame of a shared screen on to a friend who is on line; nobody keeps it.

use bytes::Bytes;
use common::api::Refusal;
use common::id::UserId;
use common::store::people::{self, Standing};

use super::Failure;
use crate::app::App;
use crate::hub::{Event, Session};

/// # Errors
/// `NotFriends`, `Blocked`; the store's. That the friend is off line, or slow, is no error.
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
    let Standing {
        is_contact,
        is_blocked,
    } = people::standing(&*app.store, session.actor.user, to).await?;
    if !is_contact && !app.strangers_may_write() {
        return Err(Refusal::NotFriends.into());
    }
    if is_blocked {
        return Err(Refusal::Blocked.into());
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use common::config::{ChatConfig, DirectMessages};

    use super::*;
    use crate::actor::Actor;
    use crate::command::{block, unblock};
    use crate::hub::{ClientKind, Entrant, Manner, ONLINE};
    use crate::testing::TestServer;

    fn enter(server: &TestServer, actor: &Actor) -> Arc<Session> {
        let entrant = Entrant {
            actor: actor.clone(),
            kind: ClientKind::Pc,
            manner: Manner::Flamingo,
            sign_in: None,
            status: ONLINE,
            tag: 0,
        };
        server.app.hub.enter(entrant).0
    }

    #[tokio::test]
    async fn who_is_blocked_shows_no_screen() {
        let config = ChatConfig {
            direct_messages: DirectMessages::Everyone,
            ..ChatConfig::default()
        };
        let server = TestServer::new(config).await;
        let (ann, bob) = (server.user("ann").await, server.user("bob").await);
        let (at_ann, at_bob) = (enter(&server, &ann), enter(&server, &bob));
        let show = async || {
            let (header, frame) = (Bytes::from_static(b"h"), Bytes::from_static(b"f"));
            relay_frame(&server.app, &at_ann, bob.user, header, frame, 1).await
        };
        let shows_nothing_when_blocked = async || {
            show().await.unwrap();
            assert_eq!(at_bob.collect().events.len(), 1);
            block(&server.app, &bob, ann.user).await.unwrap();
            let refused = show().await;
            assert!(matches!(refused, Err(Failure::Refused(Refusal::Blocked))));
            assert!(at_bob.collect().events.is_empty());
            unblock(&server.app, &bob, ann.user).await.unwrap();
        };
        // A stranger, then a friend.
        shows_nothing_when_blocked().await;
        server.befriend(&ann, &bob).await;
        at_bob.collect();
        shows_nothing_when_blocked().await;
    }
}
