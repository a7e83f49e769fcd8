//! How a client ends.

use super::*;
use crate::live::Ended;

#[tokio::test(start_paused = true)]
async fn closing_tells_the_server_what_was_confirmed() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    peer.message(1).await;
    entry(&mut events).await.confirm().await.unwrap();
    assert_eq!(peer.request("ack").await["seq"], 1);
    peer.message(2).await;
    let last = entry(&mut events).await;
    last.confirm().await.unwrap();
    let handle = client.clone();
    let closing = tokio::spawn(async move { handle.close().await });
    let ack = peer.request("ack").await;
    assert_eq!(ack["seq"], 2);
    assert!(!closing.is_finished(), "it waits for the answer");
    assert!(client.send(GROUP, text("x")).await.is_err());
    peer.ok(&ack, json!({})).await;
    soon("the end", closing).await.unwrap();
    assert!(peer.try_next().await.is_none());
    let state = client.connection().borrow().clone();
    assert_eq!(state, Connection::Ended(Ended::Closed));
    let mut told = None;
    while let Some(event) = soon("the end", events.next()).await {
        told = Some(event);
    }
    let Some(Event::Connection(Connection::Ended(Ended::Closed))) = told else {
        panic!("{told:?}");
    };
    assert!(last.confirm().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_messages_on_their_way_and_keeps_the_others() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    let first = client.send(GROUP, text("1")).await.unwrap();
    let second = client.send(GROUP, text("2")).await.unwrap();
    let send = peer.request("message.send").await;
    let closing = tokio::spawn(async move { client.close().await });
    tokio::task::yield_now().await;
    peer.stored(&send, 1).await;
    assert!(soon("the answer", first.stored()).await.is_ok());
    assert!(peer.try_next().await.is_none(), "nothing new goes");
    soon("the end", closing).await.unwrap();
    assert_eq!(second.stored().await.unwrap_err().code, "closed");
    assert_eq!(store.memory().await.outbox.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn closing_takes_five_seconds_at_most() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, _events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    let _sending = client.send(GROUP, text("1")).await.unwrap();
    peer.request("message.send").await;
    let before = Instant::now();
    client.close().await;
    let after = before.elapsed();
    assert!(
        after >= Duration::from_secs(5) && after < Duration::from_secs(6),
        "{after:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_application_that_closes_in_its_loop_is_not_held_up_by_its_events() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    peer.message(1).await;
    entry(&mut events).await.confirm().await.unwrap();
    let answering = tokio::spawn(async move {
        for seq in 2..=600 {
            let frame = message(chat(), seq, "x").to_string();
            // The client may have gone already.
            if peer.socket.send(Message::text(frame)).await.is_err() {
                return;
            }
        }
        while let Some(request) = peer.try_next().await {
            if request.get("id").is_some() {
                peer.ok(&request, json!({})).await;
            }
        }
    });
    state(&client, |it| matches!(it, Connection::Online { .. })).await;
    while events.receiver.len() < super::super::client::EVENTS_MAX {
        tokio::task::yield_now().await;
    }
    soon("the end", client.close()).await;
    soon("the end", answering).await.unwrap();
    let mut last = None;
    while let Some(event) = soon("the end", events.next()).await {
        last = Some(event);
    }
    assert!(matches!(
        last,
        Some(Event::Connection(Connection::Ended(_)))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_nobody_holds_ends() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    let sending = client.send(GROUP, text("1")).await.unwrap();
    drop(events);
    // Without events it still sends.
    let send = peer.request("message.send").await;
    peer.message(1).await;
    peer.stored(&send, 2).await;
    soon("the answer", sending.stored()).await.unwrap();
    drop(client);
    assert!(peer.try_next().await.is_none());
}
