//! Messages: each one stored once, in order, or reported as failed.

use super::*;
use crate::error::Error;
use crate::live::outbox::FAILED_MAX;
use crate::live::{Outgoing, Target};
use crate::store::{self, Change};

pub(super) fn named(to: impl Into<Target>, client_id: &str) -> Outgoing {
    Outgoing {
        to: to.into(),
        segments: text(client_id),
        reply_to: None,
        client_id: Some(client_id.to_owned()),
        expire_after: None,
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_without_a_connection_goes_when_there_is_one() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let sending = client.send_with(named(GROUP, "a")).await.unwrap();
    assert_eq!(store.memory().await.outbox.len(), 1);
    let mut peer = server.welcome().await;
    let send = peer.request("message.send").await;
    assert_eq!(send["client_id"], "a");
    assert_eq!(send["to"], json!({"group": GROUP.to_string()}));
    assert_eq!(send["segments"], json!([{"type": "text", "text": "a"}]));
    assert!(store.memory().await.outbox[0].attempted, "before it goes");
    peer.stored(&send, 4).await;
    let sent = soon("the answer", sending.stored()).await.unwrap();
    assert_eq!((sent.conversation, sent.seq), (chat(), Seq(4)));
    assert_eq!(store.memory().await.outbox, []);
}

#[tokio::test(start_paused = true)]
async fn messages_of_one_conversation_go_one_after_the_other() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let direct = ConversationId::direct(ME, UserId(9));
    client.send_with(named(UserId(9), "a")).await.unwrap();
    client.send_with(named(direct, "b")).await.unwrap();
    client.send_with(named(GROUP, "c")).await.unwrap();
    let mut peer = server.welcome().await;
    let first = peer.request("message.send").await;
    assert_eq!(first["client_id"], "a");
    let other = peer.request("message.send").await;
    assert_eq!(other["client_id"], "c");
    peer.stored(&first, 1).await;
    let second = peer.request("message.send").await;
    assert_eq!(second["client_id"], "b");
}

#[tokio::test(start_paused = true)]
async fn what_was_on_its_way_goes_again_first() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, mut events) = server.start(&store).await;
    for name in ["a", "b"] {
        client.send_with(named(GROUP, name)).await.unwrap();
    }
    let mut peer = server.welcome().await;
    peer.request("message.send").await;
    drop(peer);
    let mut peer = server.welcome().await;
    for (seq, name) in [(1, "a"), (2, "b")] {
        let send = peer.request("message.send").await;
        assert_eq!(send["client_id"], name);
        peer.stored(&send, seq).await;
    }
    // Nobody holds what `send` gave: it is told as an event.
    let mut told = Vec::new();
    while told.len() < 2 {
        match next(&mut events).await {
            Event::Sent(sent) => told.push(sent.client_id),
            Event::Connection(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_busy_gets_it_later_and_others_are_not_held_up() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let sending = client.send_with(named(GROUP, "a")).await.unwrap();
    let mut peer = server.welcome().await;
    let send = peer.request("message.send").await;
    let before = Instant::now();
    let error = json!({"code": "storage_unavailable", "message": "soon", "retry_after": 3});
    peer.error(&send, error).await;
    client.send_with(named(GROUP, "b")).await.unwrap();
    client.send_with(named(UserId(9), "c")).await.unwrap();
    assert_eq!(peer.request("message.send").await["client_id"], "c");
    assert!(before.elapsed() < Duration::from_secs(1));
    let again = peer.request("message.send").await;
    assert_eq!(again["client_id"], "a");
    assert!(before.elapsed() >= Duration::from_secs(3));
    peer.stored(&again, 1).await;
    soon("the answer", sending.stored()).await.unwrap();
    assert_eq!(peer.request("message.send").await["client_id"], "b");
}

#[tokio::test(start_paused = true)]
async fn what_the_server_refuses_has_failed_until_it_is_tried_again() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let sending = client.send_with(named(GROUP, "a")).await.unwrap();
    let mut peer = server.welcome().await;
    let send = peer.request("message.send").await;
    let error = json!({"code": "not_a_member", "message": "join first"});
    peer.error(&send, error).await;
    let failed = soon("the answer", sending.stored()).await.unwrap_err();
    assert_eq!(
        (&*failed.code, &*failed.reason),
        ("not_a_member", "join first")
    );
    let outbox = client.outbox().await.unwrap();
    assert_eq!(
        outbox[0].failed.as_deref(),
        Some("not_a_member: join first")
    );
    assert_eq!(store.memory().await.outbox, outbox);
    // Sending it once more finds the failed one.
    let joined = client.send_with(named(GROUP, "a")).await.unwrap();
    assert_eq!(joined.stored().await.unwrap_err(), failed);
    client.retry("a").await.unwrap();
    let again = peer.request("message.send").await;
    assert_eq!(again["client_id"], "a");
    peer.error(&again, json!({"code": "muted", "message": "later"}))
        .await;
    let is_muted = |it: &store::Outgoing| it.failed.as_deref() == Some("muted: later");
    while !client.outbox().await.unwrap().iter().any(is_muted) {}
    client.discard("a").await.unwrap();
    assert_eq!(client.outbox().await.unwrap(), []);
    assert_eq!(store.memory().await.outbox, []);
    client.retry("a").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_failed_has_a_bound_and_each_failure_is_told() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    let more = FAILED_MAX + 2;
    for n in 0..more {
        // Nobody waits for what becomes of it.
        drop(
            client
                .send_with(named(GROUP, &n.to_string()))
                .await
                .unwrap(),
        );
        let send = peer.request("message.send").await;
        peer.error(&send, json!({"code": "muted", "message": "no"}))
            .await;
        loop {
            match next(&mut events).await {
                Event::Failed(failed) => break assert_eq!(failed.client_id, n.to_string()),
                Event::Connection(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    let outbox = client.outbox().await.unwrap();
    assert_eq!((outbox.len(), &*outbox[0].client_id), (FAILED_MAX, "2"));
    assert_eq!(store.memory().await.outbox, outbox);
    // It is forgotten like one that was discarded: its name is free.
    client.send_with(named(GROUP, "0")).await.unwrap();
    assert_eq!(peer.request("message.send").await["client_id"], "0");
}

#[tokio::test(start_paused = true)]
async fn the_same_client_id_is_the_same_message() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let first = client.send_with(named(GROUP, "a")).await.unwrap();
    let second = client.send_with(named(GROUP, "a")).await.unwrap();
    let mut other = named(GROUP, "a");
    other.segments = text("something else");
    let error = client.send_with(other).await.unwrap_err();
    assert_eq!(error.code(), Some("client_id_conflict"));
    let mut peer = server.welcome().await;
    let send = peer.request("message.send").await;
    peer.stored(&send, 1).await;
    let sent = soon("the answer", first.stored()).await.unwrap();
    assert_eq!(soon("the answer", second.stored()).await.unwrap(), sent);
}

#[tokio::test(start_paused = true)]
async fn what_never_went_expires_by_itself() {
    let (server, store) = (Server::new(), SharedStore::default());
    let builder = server.builder().store(store.clone());
    let (client, _events) = start(builder.expire_after(Duration::from_secs(60))).await;
    // The server takes connections and says nothing.
    let sending = client.send_with(named(GROUP, "a")).await.unwrap();
    let failed = soon("the end", sending.stored()).await.unwrap_err();
    assert_eq!(failed.code, "expired");
    let kept = store.memory().await.outbox[0].failed.clone().unwrap();
    assert!(kept.starts_with("expired: "), "{kept}");
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_stored_expires_only_when_the_server_says_that_it_was_not() {
    let stored =
        json!({"conversation": chat().to_string(), "seq": 5, "time": "2026-01-31T12:00:00.000Z"});
    let not_stored = json!({"code": "not_stored", "status": 404, "detail": "no"});
    for (status, body, is_stored) in [
        ("200 OK", stored, true),
        ("404 Not Found", not_stored, false),
    ] {
        let (mut server, store) = (Server::new(), SharedStore::default());
        let builder = server.builder().store(store.clone());
        let (client, _events) = start(builder.expire_after(Duration::from_secs(60))).await;
        let mut peer = server.welcome().await;
        let sending = client.send_with(named(GROUP, "a b".replace(' ', "/").as_str()));
        let sending = sending.await.unwrap();
        peer.request("message.send").await;
        tokio::time::advance(Duration::from_secs(61)).await;
        drop(peer);
        let _peer = server.welcome().await;
        let line = server.http(status, &body).await;
        assert_eq!(line, "GET /api/v1/sends/a%2Fb HTTP/1.1");
        let outcome = soon("the outcome", sending.stored()).await;
        match outcome {
            Ok(sent) => assert!(is_stored && sent.seq == Seq(5)),
            Err(failed) => assert!(!is_stored && failed.code == "expired"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn messages_of_an_earlier_run_go_too() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let kept = |client_id: &str, attempted| store::Outgoing {
        client_id: client_id.to_owned(),
        to: GROUP.into(),
        segments: text(client_id),
        reply_to: Some(Seq(3)),
        accepted_at: crate::model::Timestamp::UNIX_EPOCH,
        expires_at: None,
        attempted,
        failed: None,
    };
    let changes = [
        Change::Accept(kept("a", true)),
        Change::Accept(kept("b", false)),
    ];
    store.apply(&changes).await.unwrap();
    let (_client, _events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    for (seq, name) in [(1, "a"), (2, "b")] {
        let send = peer.request("message.send").await;
        assert_eq!(send["client_id"], name);
        assert_eq!(send["reply_to"], 3);
        peer.stored(&send, seq).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_outbox_has_a_bound() {
    let (server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let mut accepted = 0;
    let error = loop {
        match client.send(GROUP, text("x")).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::OutboxFull), "{error}");
    assert_eq!(accepted, 10_000);
}
