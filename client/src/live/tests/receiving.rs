//! Entries: each one once, in order, confirmed, acknowledged.

use super::*;
use crate::live::Passing;
use crate::store::Change;

#[tokio::test(start_paused = true)]
async fn entries_come_in_order_and_what_is_confirmed_never_again() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (_client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    for seq in [1, 2, 5] {
        peer.message(seq).await;
    }
    let first = entry(&mut events).await;
    assert_eq!((first.conversation, first.seq), (chat(), Seq(1)));
    let second = entry(&mut events).await;
    second.confirm().await.unwrap();
    assert_eq!(store.place(chat()).await, Some(Seq(2)));
    let ack = peer.request("ack").await;
    assert_eq!(ack["seq"], 2);
    assert!(ack.get("id").is_none());
    let third = entry(&mut events).await;
    assert_eq!(third.seq, Seq(5));
    drop(peer);
    // The server forgot the acknowledgment: everything comes again.
    let mut peer = server.welcome().await;
    for seq in [1, 2, 5, 6] {
        peer.message(seq).await;
    }
    assert_eq!(peer.request("ack").await["seq"], 2);
    assert_eq!(entry(&mut events).await.seq, Seq(6));
    // A confirmation of an entry of the connection before counts on this one.
    third.confirm().await.unwrap();
    assert_eq!(peer.request("ack").await["seq"], 5);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_confirmed_comes_again_after_a_restart() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    peer.message(1).await;
    peer.message(2).await;
    entry(&mut events).await.confirm().await.unwrap();
    entry(&mut events).await;
    let closing = tokio::spawn(async move { client.close().await });
    while let Some(frame) = peer.try_next().await {
        if frame.get("id").is_some() {
            peer.ok(&frame, json!({})).await;
        }
    }
    closing.await.unwrap();
    let (_client, mut events) = server.start(&store).await;
    let (mut peer, hello) = server.welcome_with(json!({})).await;
    assert_eq!(hello["epoch"], "e1");
    peer.message(1).await;
    peer.message(2).await;
    assert_eq!(entry(&mut events).await.seq, Seq(2));
}

#[tokio::test(start_paused = true)]
async fn what_came_without_entries_is_confirmed_by_its_place() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    let head =
        |seq: u64| json!({"event": "head", "conversation": chat().to_string(), "last_seq": seq});
    peer.message(1).await;
    peer.say(head(40)).await;
    assert_eq!(entry(&mut events).await.seq, Seq(1));
    assert!(matches!(next(&mut events).await, Event::Passing(_)));
    client.confirm(chat(), Seq(30)).await.unwrap();
    assert_eq!(store.place(chat()).await, Some(Seq(30)));
    assert_eq!(peer.request("ack").await["seq"], 30);
    // What is behind the head was not told, and would be lost if it counted.
    client.confirm(chat(), Seq(99)).await.unwrap();
    assert_eq!(store.place(chat()).await, Some(Seq(40)));
    assert_eq!(peer.request("ack").await["seq"], 40);
    peer.message(41).await;
    assert_eq!(entry(&mut events).await.seq, Seq(41));
    // Nothing was ever told of this one.
    client.confirm(ConversationId(5), Seq(1)).await.unwrap();
    assert_eq!(store.place(ConversationId(5)).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_wants_entries_alone_hears_of_its_end() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    peer.say(json!({"event": "typing", "conversation": chat().to_string(), "user_id": "9"}))
        .await;
    peer.message(1).await;
    let mut own = message(chat(), 2, "x");
    own["message"]["sender"] = ME.to_string().into();
    peer.say(own).await;
    let of_another = soon("an entry", events.entry()).await.unwrap();
    assert!(of_another.message_of_another().is_some());
    let answer = of_another.answer(text("x"));
    let name = format!("answer-{}-1", chat());
    assert_eq!((answer.to, answer.client_id), (chat().into(), Some(name)));
    let own = soon("an entry", events.entry()).await.unwrap();
    assert_eq!((own.seq, own.message_of_another()), (Seq(2), None));
    drop(peer);
    client.close().await;
    let ended = soon("the end", events.entry()).await.unwrap_err();
    assert_eq!(ended, crate::Ended::Closed);
}

#[tokio::test(start_paused = true)]
async fn acknowledgments_are_collected() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (_client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    for seq in 1..=50 {
        peer.message(seq).await;
    }
    for _ in 1..=50 {
        entry(&mut events).await.confirm().await.unwrap();
    }
    let mut acks = 1;
    while peer.request("ack").await["seq"] != 50 {
        acks += 1;
    }
    assert!(acks <= 2, "{acks}");
}

/// An application that waits for its own message inside of its loop cannot take events meanwhile.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_message_does_not_stand_in_the_way_of_its_answer() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    let serving = tokio::spawn(async move {
        for seq in 1..=3000 {
            peer.message(seq).await;
        }
        let send = peer.request("message.send").await;
        peer.stored(&send, 3001).await;
        peer
    });
    while events.receiver.len() < crate::live::client::EVENTS_MAX {
        tokio::task::yield_now().await;
    }
    let sending = client.send(GROUP, text("x")).await.unwrap();
    soon("the answer", sending.stored()).await.unwrap();
    let _peer = soon("the server", serving).await.unwrap();
    for seq in 1..=3000 {
        assert_eq!(entry(&mut events).await.seq, Seq(seq));
    }
}

/// The same with more than can be kept: the rest is left out, and comes with another connection.
#[tokio::test(start_paused = true)]
async fn what_is_left_out_comes_again() {
    const ALL: u64 = 6000;
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    let sending = client.send(GROUP, text("x")).await.unwrap();
    let send = peer.request("message.send").await;
    for seq in 1..=ALL {
        peer.message(seq).await;
    }
    peer.stored(&send, ALL + 1).await;
    soon("the answer", sending.stored()).await.unwrap();
    let again = tokio::spawn(async move {
        while peer.try_next().await.is_some() {}
        let mut peer = server.welcome().await;
        for seq in 1..=ALL {
            peer.message(seq).await;
        }
        // Nothing may be acknowledged that the application did not get.
        loop {
            let ack = peer.request("ack").await["seq"].as_u64().unwrap();
            if ack == ALL {
                return;
            }
        }
    });
    for seq in 1..=ALL {
        let entry = entry(&mut events).await;
        assert_eq!(entry.seq, Seq(seq));
        entry.confirm().await.unwrap();
    }
    soon("the acknowledgments", again).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_application_that_does_not_read_stops_the_server() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (_client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    let long = "x".repeat(50_000);
    let mut written = 0;
    // What the connection holds, and then no more.
    while let Ok(sent) = timeout(Duration::from_secs(1), {
        written += 1;
        peer.socket
            .send(Message::text(message(chat(), written, &long).to_string()))
    })
    .await
    {
        sent.unwrap();
        assert!(written < 2000, "the client reads although nobody takes it");
    }
    for seq in 1..written {
        assert_eq!(entry(&mut events).await.seq, Seq(seq));
    }
}

#[tokio::test(start_paused = true)]
async fn another_history_is_told_before_its_entries() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let before = [
        Change::SetEpoch("e0".to_owned()),
        Change::SetPlace(chat(), Seq(40)),
    ];
    store.apply(&before).await.unwrap();
    let (_client, mut events) = server.start(&store).await;
    let (mut peer, hello) = server.welcome_with(json!({"resync": true})).await;
    assert_eq!(hello["epoch"], "e0");
    peer.message(3).await;
    let mut heard = Vec::new();
    let entry = loop {
        match next(&mut events).await {
            Event::Entry(entry) => break entry,
            Event::Resync => heard.push("resync"),
            Event::Connection(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(heard, ["resync"]);
    assert_eq!(entry.seq, Seq(3));
    // A crash here must not hide it.
    assert_eq!(store.memory().await.epoch.as_deref(), Some("e0"));
    entry.confirm().await.unwrap();
    let memory = store.memory().await;
    assert_eq!(memory.epoch.as_deref(), Some("e1"));
    assert_eq!(memory.places, [(chat(), Seq(3))]);
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_the_old_history_cannot_be_confirmed_in_the_new_one() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (_client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    peer.message(90).await;
    let old = entry(&mut events).await;
    drop(peer);
    let more = json!({"resync": true, "epoch": "e2"});
    let (mut peer, _) = server.welcome_with(more).await;
    peer.message(1).await;
    while !matches!(next(&mut events).await, Event::Resync) {}
    old.confirm().await.unwrap();
    assert_eq!(store.place(chat()).await, None);
    let new = entry(&mut events).await;
    assert_eq!(new.seq, Seq(1));
    new.confirm().await.unwrap();
    assert_eq!(store.place(chat()).await, Some(Seq(1)));
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_told_too() {
    let (mut server, store) = (Server::new(), SharedStore::default());
    let (_client, mut events) = server.start(&store).await;
    let mut peer = server.welcome().await;
    peer.say(json!({"event": "head", "conversation": chat().to_string(), "last_seq": 9}))
        .await;
    let passing = loop {
        match next(&mut events).await {
            Event::Passing(passing) => break passing,
            Event::Connection(_) => {}
            other => panic!("{other:?}"),
        }
    };
    let wanted = Passing::Head {
        conversation: chat(),
        last_seq: Seq(9),
    };
    assert_eq!(passing, wanted);
}
