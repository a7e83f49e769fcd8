//! A session of the API over a database that fails at the wrong moment.

use common::api::{DeviceKind, KnownSegment};
use common::config::ChatConfig;
use common::id::{ConvId, Millis, Peer, Seq, SessionId};
use common::store::session::{SessionChange, SignIn};
use common::store::{Change, Store, StoreError};
use serde_json::Value;
use tokio::time::Instant;

use crate::actor::Actor;
use crate::command::{Draft, SignedIn, open_conversation, send_segments};
use crate::hub::Manner;
use crate::protocol::web::live::{Backlog, Live, Shown};
use crate::testing::{TestServer, named};

/// The device of this user is signed in.
async fn signed_in(server: &TestServer, who: &Actor) -> SignedIn {
    let (session, expires) = (SessionId(u64::from(who.user.0)), Millis(i64::MAX));
    let now = server.app.clock.now();
    let sign_in = SignIn {
        session,
        user: who.user,
        device: who.device,
        kind: DeviceKind::Cli.as_str().to_owned(),
        name: String::new(),
        created: now,
        seen: now,
        expires,
    };
    let open = SessionChange::Open {
        sign_in,
        password_hash: "none".to_owned(),
    };
    server.save(Change::Session(open)).await;
    SignedIn {
        actor: who.clone(),
        session,
        kind: DeviceKind::Cli,
        is_bot: false,
        expires,
    }
}

async fn enter(server: &TestServer, who: &SignedIn) -> Live {
    let entered = Live::enter(&server.app, who, Manner::WebSocket, Backlog::All).await;
    entered.unwrap().0
}

async fn say(server: &TestServer, who: &Actor, conv: ConvId, client_id: &str) -> Seq {
    let text = client_id.to_owned();
    let draft = Draft {
        segments: vec![KnownSegment::Text { text }.into()],
        reply_to: None,
    };
    let sending = send_segments(&server.app, who, conv, draft, named(client_id)).await;
    sending.unwrap().saved().await.unwrap().seq
}

/// The next event of this conversation; those of the inbox are passed.
async fn next_of(live: &mut Live, conv: ConvId) -> Result<Option<Shown>, StoreError> {
    loop {
        match live.next().await? {
            Some(shown) if shown.conv != conv => {}
            other => return Ok(other),
        }
    }
}

#[tokio::test]
async fn an_own_message_carries_no_cursor_past_an_entry_that_was_not_shown() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let opened = open_conversation(&server.app, &ann, Peer::User(bob.user)).await;
    let conv = opened.unwrap().place.conv;
    let who = signed_in(&server, &ann).await;
    let first = say(&server, &bob, conv, "from bob").await;

    // It is walked, and what became of it cannot be looked up: it is held.
    let mut live = enter(&server, &who).await;
    store.fail_reads(
        "t_message_state",
        StoreError::Unreachable("away".to_owned()),
    );
    next_of(&mut live, conv).await.unwrap_err();
    let own = say(&server, &ann, conv, "from ann").await;
    assert_eq!(own, first.next());
    live.wrote(conv, own);
    live.leave().await;
    let cursor = store.cursor(ann.user, ann.device, conv).await.unwrap();
    assert_eq!(cursor, Some(Seq(first.0 - 1)), "it was not shown");

    store.mend_reads();
    let mut live = enter(&server, &who).await;
    let shown = next_of(&mut live, conv).await.unwrap().unwrap();
    let event: Value = serde_json::from_slice(&shown.text).unwrap();
    assert_eq!(event["message"]["client_id"], "from bob");
    assert!(next_of(&mut live, conv).await.unwrap().is_none());
    live.acks.ack(conv, first, Instant::now());
    live.leave().await;
    let cursor = store.cursor(ann.user, ann.device, conv).await.unwrap();
    assert_eq!(cursor, Some(own), "with the own one behind it");
}
