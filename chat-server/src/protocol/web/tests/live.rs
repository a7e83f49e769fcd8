//! A session of the API over a database that fails at the wrong moment.

use std::sync::Arc;
use std::time::Duration;

use common::api::{DeviceKind, KnownSegment, Segment};
use common::config::ChatConfig;
use common::id::{ConvId, Millis, Peer, Seq, SessionId};
use common::store::session::{SessionChange, SignIn};
use common::store::{Change, Store, StoreError};
use tokio::time::Instant;

use crate::actor::{Actor, Mark};
use crate::command::{Draft, SignedIn, create_group, edit, open_conversation, send_segments};
use crate::hub::{INVISIBLE, Manner};
use crate::presence;
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
    let entered = Live::enter(&server.app, who, Manner::WebSocket, Backlog::All, None).await;
    entered.unwrap().0
}

fn text(text: &str) -> Segment {
    let text = text.to_owned();
    KnownSegment::Text { text }.into()
}

async fn say(server: &TestServer, who: &Actor, conv: ConvId, client_id: &str) -> Seq {
    let draft = Draft {
        segments: vec![text(client_id)],
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
async fn who_wants_to_be_invisible_is_so_from_the_first_moment() {
    let server = TestServer::new(ChatConfig::default()).await;
    let ann = server.user("ann").await;
    let who = signed_in(&server, &ann).await;
    let (app, status) = (&server.app, Some(INVISIBLE));
    let entered = Live::enter(app, &who, Manner::WebSocket, Backlog::All, status).await;
    let (live, _) = entered.unwrap();
    assert!(!app.hub.presence(ann.user).is_visible());
    live.leave().await;
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
    let changed = vec![text("changed")];
    let edited = edit(&server.app, &bob, conv, first, changed, Mark::default());
    edited.await.unwrap();
    let second = first.next();

    let mut live = enter(&server, &who).await;
    let shown = next_of(&mut live, conv).await.unwrap().unwrap();
    assert_eq!(shown.seq, first);
    live.acks.ack(conv, first, Instant::now());
    // The second is walked, and what it is about cannot be looked up: it is held.
    store.fail_reads(
        "t_message_state",
        StoreError::Unreachable("away".to_owned()),
    );
    next_of(&mut live, conv).await.unwrap_err();
    let own = say(&server, &ann, conv, "from ann").await;
    assert_eq!(own, second.next());
    live.wrote(conv, own);
    live.leave().await;
    let cursor = store.cursor(ann.user, ann.device, conv).await.unwrap();
    assert_eq!(cursor, Some(first), "the second was not shown");

    store.mend_reads();
    let mut live = enter(&server, &who).await;
    let shown = next_of(&mut live, conv).await.unwrap().unwrap();
    assert_eq!(shown.seq, second);
    assert!(next_of(&mut live, conv).await.unwrap().is_none());
    live.acks.ack(conv, second, Instant::now());
    live.leave().await;
    let cursor = store.cursor(ann.user, ann.device, conv).await.unwrap();
    assert_eq!(cursor, Some(own), "with the own one behind it");
}

#[tokio::test]
async fn what_a_replaced_session_saves_is_waited_for() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let opened = open_conversation(&server.app, &ann, Peer::User(bob.user)).await;
    let conv = opened.unwrap().place.conv;
    let who = signed_in(&server, &ann).await;
    let seq = say(&server, &bob, conv, "from bob").await;
    let mut first = enter(&server, &who).await;
    assert_eq!(next_of(&mut first, conv).await.unwrap().unwrap().seq, seq);
    first.acks.ack(conv, seq, Instant::now());

    let held = store.hold_commits().await;
    let leaves = async {
        let session = Arc::clone(&first.session);
        while !session.is_to_end() {
            session.bell().await;
        }
        first.leave().await;
    };
    let is_saved = async {
        store.is_asked_to_commit().await;
        // Longer than a session that hangs in a write is waited for.
        tokio::time::pause();
        tokio::time::sleep(Duration::from_secs(2)).await;
        tokio::time::resume();
        drop(held);
    };
    let again = Live::enter(&server.app, &who, Manner::WebSocket, Backlog::All, None);
    let (again, (), ()) = tokio::join!(Box::pin(again), leaves, is_saved);
    let (mut again, _) = again.unwrap();
    let shown = next_of(&mut again, conv).await.unwrap();
    assert!(shown.is_none(), "it was acknowledged");
    again.leave().await;
}

#[tokio::test]
async fn a_large_group_is_never_named_with_less_than_before() {
    let server = TestServer::new(ChatConfig::default()).await;
    let ann = server.user("ann").await;
    let founded = create_group(&server.app, &ann, "cars".to_owned(), Mark::default()).await;
    let group = founded.unwrap();
    let who = signed_in(&server, &ann).await;
    let mut live = enter(&server, &who).await;
    server.app.hub.set_sizes(&[(group, 600)]);
    let conv = ConvId::group(group);
    let named = |live: &mut Live, after_s: u64| {
        assert!(live.collect().is_none());
        live.heads(Instant::now() + Duration::from_secs(after_s))
    };
    // In the mailbox, and after it was looked into.
    server.app.hub.ring(conv, Seq(900), None);
    server.app.hub.ring(conv, Seq(880), None);
    let first = named(&mut live, 0);
    assert_eq!(first.len(), 1);
    assert!(first[0].contains("900"), "{first:?}");
    server.app.hub.ring(conv, Seq(880), None);
    assert!(named(&mut live, 1).is_empty());
    server.app.hub.ring(conv, Seq(901), None);
    assert_eq!(named(&mut live, 2).len(), 1);
}

#[tokio::test]
async fn friends_hear_of_the_end_of_a_session_that_could_not_begin() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let (who, other) = (
        signed_in(&server, &ann).await,
        signed_in(&server, &bob).await,
    );
    let at_bob = enter(&server, &other).await;
    let first = enter(&server, &who).await;
    presence::announce(&server.app, ann.user).await.unwrap();
    let seen = |live: &Live| live.session.collect().presences.get(&ann.user).copied();
    assert!(seen(&at_bob).is_some_and(|presence| presence.is_visible()));
    // The same device comes again, takes the place of the first session, and cannot begin.
    store.fail_reads("t_session", StoreError::Unreachable("away".to_owned()));
    let replaced = async {
        let session = Arc::clone(&first.session);
        while !session.is_to_end() {
            session.bell().await;
        }
        first.leave().await;
    };
    let again = Live::enter(&server.app, &who, Manner::WebSocket, Backlog::All, None);
    let (again, ()) = tokio::join!(Box::pin(again), replaced);
    assert!(again.is_err());
    assert!(!server.app.hub.is_online(ann.user));
    store.mend_reads();
    let heard = async {
        loop {
            if let Some(presence) = seen(&at_bob) {
                return presence;
            }
            at_bob.session.bell().await;
        }
    };
    tokio::select! {
        () = presence::tell_departures(&server.app) => {}
        presence = heard => assert!(!presence.is_visible()),
    }
}
