//! Opening connections, losing them, and coming back.

use super::sending::named;
use super::*;
use crate::live::Ended;
use crate::model::Status;
use crate::store::{Change, Owner};

#[tokio::test(start_paused = true)]
async fn hello_says_who_is_there_and_the_store_learns_whose_it_is() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let builder = server.builder().store(store.clone()).status(Status::Away);
    let (client, mut events) = start(builder.backlog(crate::Backlog::Recent)).await;
    let (_peer, hello) = server.welcome_with(json!({})).await;
    assert_eq!(hello["token"], "secret");
    assert_eq!(hello["backlog"], "recent");
    assert_eq!(hello["status"], "away");
    assert!(hello.get("epoch").is_none());
    soon("the connection", client.online()).await.unwrap();
    let Event::Connection(Connection::Online { user: ME, .. }) = next(&mut events).await else {
        panic!("on line first");
    };
    let memory = store.memory().await;
    assert_eq!(memory.owner.unwrap().user, ME);
    assert_eq!(memory.epoch.as_deref(), Some("e1"));
}

#[tokio::test(start_paused = true)]
async fn a_store_of_another_user_is_refused() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let owner = Owner {
        server: "http://elsewhere:1".to_owned(),
        user: UserId(8),
        username: None,
    };
    store.apply(&[Change::SetOwner(owner)]).await.unwrap();
    let (client, mut events) = server.start(&store).await;
    let _peer = server.welcome().await;
    let Event::Connection(Connection::Ended(Ended::Store(why))) = next(&mut events).await else {
        panic!("the end");
    };
    assert!(why.contains("user 8"), "{why}");
    assert!(soon("the end", events.next()).await.is_none());
    assert!(client.send(GROUP, text("x")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_store_of_somebody_else_with_the_same_number_on_a_server_that_began_anew_is_refused() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let ann = json!({"user": {"id": ME.to_string(), "username": "ann"}});
    let _peer = server.welcome_with(ann).await;
    soon("the connection", client.online()).await.unwrap();
    client.send_with(named(GROUP, "a")).await.unwrap();
    client.close().await;

    let (client, _events) = server.start(&store).await;
    let bob = json!({"user": {"id": ME.to_string(), "username": "bob"}, "epoch": "e2"});
    let (mut peer, _) = server.welcome_with(bob).await;
    let last = state(&client, |it| !matches!(it, Connection::Connecting)).await;
    let Connection::Ended(Ended::Store(why)) = last else {
        panic!("{last:?}");
    };
    assert!(why.contains("ann (user 7)"), "{why}");
    assert_eq!(peer.try_next().await, None, "nothing of Ann's goes out");
}

#[tokio::test(start_paused = true)]
async fn the_same_server_at_another_address_knows_its_user() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let owner = Owner {
        server: "http://elsewhere:1".to_owned(),
        user: ME,
        username: None,
    };
    let changes = [Change::SetOwner(owner), Change::SetEpoch("e1".to_owned())];
    store.apply(&changes).await.unwrap();
    let (client, _events) = server.start(&store).await;
    let (_peer, hello) = server.welcome_with(json!({})).await;
    assert_eq!(hello["epoch"], "e1");
    soon("the connection", client.online()).await.unwrap();
    let server = client.api().server().to_string();
    assert_eq!(store.memory().await.owner.unwrap().server, server);
}

#[tokio::test(start_paused = true)]
async fn the_first_try_after_a_loss_is_made_at_once_and_the_next_ones_later() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    peer.message(1).await;
    soon("the connection", client.online()).await.unwrap();
    let before = Instant::now();
    drop(peer);
    drop(server.stream().await);
    assert!(before.elapsed() < Duration::from_millis(10));
    for n in 0..4 {
        let before = Instant::now();
        drop(server.stream().await);
        let bound = Duration::from_millis(500 << n) + Duration::from_millis(10);
        assert!(before.elapsed() <= bound, "{n}: {:?}", before.elapsed());
    }
    let mut peer = server.welcome().await;
    peer.message(2).await;
    soon("the connection", client.online()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn waking_makes_the_next_try_now() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    peer.say(json!({"event": "server.draining", "reconnect_after_ms": 60_000}))
        .await;
    peer.close(1012).await;
    state(&client, |it| matches!(it, Connection::Waiting { .. })).await;
    let before = Instant::now();
    client.wake().await.unwrap();
    let _peer = server.welcome().await;
    assert!(before.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_says_when_to_come_back() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    peer.message(1).await;
    peer.say(json!({"event": "server.draining", "reconnect_after_ms": 7000}))
        .await;
    let before = Instant::now();
    peer.close(1012).await;
    let waiting = state(&client, |it| matches!(it, Connection::Waiting { .. })).await;
    let Connection::Waiting { next_try, .. } = waiting else {
        panic!("it waits");
    };
    assert_eq!(next_try, Duration::from_secs(7));
    let _peer = server.welcome().await;
    assert!(before.elapsed() >= Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn who_was_too_fast_waits_five_seconds() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (_client, _events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    peer.message(1).await;
    let before = Instant::now();
    peer.close(4008).await;
    let _peer = server.welcome().await;
    assert!(before.elapsed() >= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn close_codes_that_are_the_end() {
    for (code, ended) in [(4001, Ended::SignedOut), (4002, Ended::SignedOut)] {
        let (mut server, store) = (Server::new(), SharedStore::default());
        let (client, mut events) = server.start(&store).await;
        server.welcome().await.close(code).await;
        let last = state(&client, |it| matches!(it, Connection::Ended(_))).await;
        assert_eq!(last, Connection::Ended(ended));
        let mut seen = Vec::new();
        while let Some(event) = soon("the end", events.next()).await {
            let Event::Connection(connection) = event else {
                panic!("{event:?}");
            };
            seen.push(connection);
        }
        assert_eq!(seen.last(), Some(&last), "{code}: {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_that_is_replaced_is_made_again_once() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    // A hello of an earlier connection may have been late.
    server.welcome().await.close(4009).await;
    server.welcome().await.close(4009).await;
    let last = state(&client, |it| matches!(it, Connection::Ended(_))).await;
    assert_eq!(last, Connection::Ended(Ended::Replaced));
}

#[tokio::test(start_paused = true)]
async fn an_older_connection_that_is_replaced_is_the_end() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let peer = server.welcome().await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    peer.close(4009).await;
    let last = state(&client, |it| matches!(it, Connection::Ended(_))).await;
    assert_eq!(last, Connection::Ended(Ended::Replaced));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_worth_nothing_is_the_end() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let mut peer = server.accept().await;
    let hello = peer.request("hello").await;
    let error = json!({"code": "unauthenticated", "message": "sign in"});
    peer.error(&hello, error).await;
    let last = state(&client, |it| matches!(it, Connection::Ended(_))).await;
    assert_eq!(last, Connection::Ended(Ended::SignedOut));

    let (client, _events) = server.start(&store).await;
    let body = json!({"code": "unauthenticated", "status": 401, "detail": "sign in"});
    server.http("401 Unauthorized", &body).await;
    let last = state(&client, |it| matches!(it, Connection::Ended(_))).await;
    assert_eq!(last, Connection::Ended(Ended::SignedOut));
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_is_refused_is_tried_when_the_server_says() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let before = Instant::now();
    let body = json!({"code": "rate_limited", "status": 429, "detail": "slower", "retry_after": 9});
    server.http("429 Too Many Requests", &body).await;
    let waiting = state(&client, |it| matches!(it, Connection::Waiting { .. })).await;
    let Connection::Waiting { reason, .. } = waiting else {
        panic!("it waits");
    };
    assert!(reason.contains("slower"), "{reason}");
    let _peer = server.welcome().await;
    assert!(before.elapsed() >= Duration::from_secs(9));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_is_left_after_two_heartbeats() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (_client, _events) = server.start(&store).await;
    let before = Instant::now();
    let mut silent = server.welcome().await;
    tokio::time::advance(Duration::from_secs(40)).await;
    silent.ping().await;
    let _peer = server.welcome().await;
    let after = before.elapsed();
    assert!(
        after >= Duration::from_secs(100),
        "a ping is a sign of life: {after:?}"
    );
    assert!(after < Duration::from_secs(110), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_makes_the_client_ask_and_then_leave() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    let sending = client.send(GROUP, text("x")).await.unwrap();
    let send = peer.request("message.send").await;
    let before = Instant::now();
    let ping = peer.request("ping").await;
    assert_eq!(before.elapsed().as_secs(), 10);
    peer.ok(&ping, json!({})).await;
    peer.request("ping").await;
    let mut again = server.welcome().await;
    assert!(before.elapsed() >= Duration::from_secs(25));
    let same = again.request("message.send").await;
    assert_eq!(same["client_id"], send["client_id"]);
    again.stored(&same, 1).await;
    assert_eq!(
        soon("the answer", sending.stored()).await.unwrap().seq,
        Seq(1)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_wished_is_said_again_on_a_new_connection() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    client.read(chat(), Seq(3)).await.unwrap();
    client.read(chat(), Seq(4)).await.unwrap();
    client.open(chat()).await.unwrap();
    client.watch_presence(vec![UserId(9)]).await.unwrap();
    client.typing(chat()).await.unwrap();
    client.set_status(Status::Invisible).await.unwrap();
    let mut peer = server.welcome().await;
    let mut said: Vec<Value> = Vec::new();
    // The greeting was on its way when the status changed.
    let status = peer.request("presence.set").await;
    assert_eq!(status["status"], "invisible");
    peer.ok(&status, json!({})).await;
    for _ in 0..3 {
        said.push(peer.next().await);
    }
    assert_eq!(said[0]["op"], "conversation.open");
    assert_eq!(said[1]["user_ids"], json!(["9"]));
    assert_eq!(
        (&said[2]["op"], &said[2]["seq"]),
        (&json!("read"), &json!(4))
    );
    peer.ok(&said[0], json!({})).await;
    drop(peer);
    // The read mark was not answered: it is said again.
    let (mut peer, hello) = server.welcome_with(json!({})).await;
    assert_eq!(hello["status"], "invisible");
    let mut ops: Vec<Value> = Vec::new();
    for _ in 0..3 {
        ops.push(peer.next().await["op"].clone());
    }
    assert_eq!(ops, ["conversation.open", "presence.watch", "read"]);
}
