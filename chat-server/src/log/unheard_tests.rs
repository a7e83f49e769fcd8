//! What is saved while the answer is lost reaches everybody all the same.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use common::api::KnownSegment;
use common::config::ChatConfig;
use common::id::ConvId;
use common::store::StoreError;
use tokio::time::{sleep, timeout};

use crate::actor::Actor;
use crate::app::App;
use crate::command::{
    Draft, Failure, Sent, add_member, create_group, remove_member, send_segments,
};
use crate::hub::{ClientKind, Entrant, Manner, ONLINE, Session};
use crate::testing::{TestServer, named};
use crate::walker::Walker;

fn enter(server: &TestServer, actor: &Actor) -> Arc<Session> {
    let entrant = Entrant {
        actor: Actor {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ..actor.clone()
        },
        kind: ClientKind::Pc,
        manner: Manner::Flamingo,
        sign_in: None,
        status: ONLINE,
        tag: 0,
    };
    server.app.hub.enter(entrant).0
}

#[tokio::test]
async fn members_follow_a_change_whose_answer_was_lost() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let lose = || store.lose_next_answer();
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let (app, hub) = (&server.app, &server.app.hub);
    let at_bob = enter(&server, &bob);
    enter(&server, &ann);

    lose();
    let created = create_group(app, &ann, "cars".to_owned(), named("g")).await;
    let cars = created.unwrap();
    assert_eq!(hub.members_online(cars), [ann.user]);
    at_bob.collect();
    lose();
    let added = add_member(app, &ann, cars, bob.user, named("a")).await;
    added.unwrap();
    assert!(hub.members_online(cars).contains(&bob.user));
    let waiting = at_bob.collect();
    assert!(waiting.changed.contains(&ConvId::group(cars)));
    assert!(waiting.changed.contains(&ConvId::inbox(bob.user)));

    lose();
    let removed = remove_member(app, &ann, cars, bob.user, named("r")).await;
    removed.unwrap();
    assert_eq!(hub.members_online(cars), [ann.user]);
    let waiting = at_bob.collect();
    assert!(waiting.lost.contains(&ConvId::group(cars)));
    // The same request again, long after: he is no member because he was added once.
    let added = add_member(app, &ann, cars, bob.user, named("a")).await;
    added.unwrap();
    assert_eq!(hub.members_online(cars), [ann.user]);
}

#[tokio::test]
async fn a_repetition_of_what_was_answered_is_news_to_nobody() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let app = &server.app;
    let at_bob = enter(&server, &bob);
    let conv = ConvId::direct(ann.user, bob.user);
    say(app, &ann, conv).await.unwrap();
    create_group(app, &ann, "cars".to_owned(), named("g"))
        .await
        .unwrap();
    assert!(at_bob.collect().changed.contains(&conv));
    // The database need not be asked: the committer has better things to do.
    store.fail_reads("SELECT", StoreError::Broken("not to be asked".to_owned()));
    assert!(say(app, &ann, conv).await.unwrap().is_repeat);
    let again = create_group(app, &ann, "cars".to_owned(), named("g")).await;
    again.unwrap();
    assert!(at_bob.collect().is_empty());
}

#[tokio::test]
async fn what_was_saved_in_doubt_is_told_when_its_client_repeats_it() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let app = &server.app;
    let at_bob = enter(&server, &bob);
    let conv = ConvId::direct(ann.user, bob.user);
    store.lose_next_answer_and_fail(StoreError::Broken("gone".to_owned()));
    let failure = say(app, &ann, conv).await.unwrap_err();
    let is_unknown = matches!(failure, Failure::Store(StoreError::OutcomeUnknown(_)));
    assert!(
        is_unknown,
        "nobody may believe that nothing was saved: {failure}"
    );
    store.mend_commits();
    assert!(at_bob.collect().is_empty(), "nobody knows yet");
    assert!(say(app, &ann, conv).await.unwrap().is_repeat);
    assert!(at_bob.collect().changed.contains(&conv));
    assert!(say(app, &ann, conv).await.unwrap().is_repeat);
    assert!(at_bob.collect().is_empty());
}

/// The database does not say that it saved the message, and its sender does not ask again.
#[tokio::test(start_paused = true)]
async fn what_was_saved_in_doubt_is_told_though_its_sender_gave_up() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let app = &server.app;
    let at_bob = enter(&server, &bob);
    let conv = ConvId::direct(ann.user, bob.user);
    store.lose_next_answer_and_fail(StoreError::Unreachable("away".to_owned()));
    let failure = say(app, &ann, conv).await.unwrap_err();
    assert!(matches!(
        failure,
        Failure::Store(StoreError::OutcomeUnknown(_))
    ));
    // Nor can it be asked for a while.
    store.fail_reads("f_client_id", StoreError::Unreachable("away".to_owned()));
    sleep(Duration::from_secs(60)).await;
    assert!(at_bob.collect().is_empty(), "nobody can know yet");
    store.mend_commits();
    store.mend_reads();
    hears(&at_bob).await;
    assert!(at_bob.collect().changed.contains(&conv));
    // Nobody is told again when the sender comes back to it after all.
    assert!(say(app, &ann, conv).await.unwrap().is_repeat);
    assert!(at_bob.collect().is_empty());
}

#[tokio::test(start_paused = true)]
async fn members_follow_a_change_whose_sender_gave_up() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let (app, hub) = (&server.app, &server.app.hub);
    let at_bob = enter(&server, &bob);
    let created = create_group(app, &ann, "cars".to_owned(), named("g")).await;
    let cars = created.unwrap();
    store.lose_next_answer_and_fail(StoreError::Unreachable("away".to_owned()));
    let added = add_member(app, &ann, cars, bob.user, named("a")).await;
    added.unwrap_err();
    assert!(!hub.members_online(cars).contains(&bob.user));
    store.mend_commits();
    hears(&at_bob).await;
    assert!(hub.members_online(cars).contains(&bob.user));
    let waiting = at_bob.collect();
    assert!(waiting.changed.contains(&ConvId::group(cars)));
    assert!(waiting.changed.contains(&ConvId::inbox(bob.user)));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_saved_is_not_asked_for_for_ever() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let app = &server.app;
    let at_bob = enter(&server, &bob);
    let conv = ConvId::direct(ann.user, bob.user);
    store.fail_commits(StoreError::OutcomeUnknown("lost".to_owned()));
    say(app, &ann, conv).await.unwrap_err();
    store.mend_commits();
    let before = store.reads();
    sleep(Duration::from_secs(60)).await;
    let asked = store.reads();
    assert!(asked > before);
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!(store.reads(), asked);
    assert!(at_bob.collect().is_empty(), "there is nothing to hear");
}

/// The database does not say that it saved the change, and when it is repeated, the database cannot
/// be asked whom to tell.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_told_at_once_is_told_later() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let app = &server.app;
    let at_bob = enter(&server, &bob);
    let conv = ConvId::direct(ann.user, bob.user);
    store.fail_reads("f_indexed", StoreError::Unreachable("away".to_owned()));
    store.lose_next_answer();
    say(app, &ann, conv).await.unwrap();
    assert!(at_bob.collect().is_empty(), "nobody can know yet");
    store.mend_reads();
    hears(&at_bob).await;
    assert!(at_bob.collect().changed.contains(&conv));
}

/// The tail has what was saved before it, and does not know that there is more.
#[tokio::test]
async fn what_was_saved_in_doubt_is_walked() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let app = &server.app;
    let conv = ConvId::direct(ann.user, bob.user);
    say_as(app, &ann, conv, "first").await.unwrap();
    let start = async || {
        let (store, tail) = (Arc::clone(&app.store), Arc::clone(&app.tail));
        Walker::start(store, tail, bob.user, bob.device)
            .await
            .unwrap()
    };
    let walk = async |walker: &mut Walker| {
        while walker.next().await.unwrap().is_some() {}
        walker.place(conv)
    };
    let mut on_line = start().await;
    walk(&mut on_line).await;
    store.lose_next_answer();
    let last = say_as(app, &ann, conv, "second").await.unwrap();
    on_line.changed(conv);
    assert_eq!(walk(&mut on_line).await, Some(last.seq));
    assert_eq!(walk(&mut start().await).await, Some(last.seq));
}

async fn hears(session: &Session) {
    let bell = timeout(Duration::from_secs(60), session.bell());
    bell.await.expect("he is told some time");
}

async fn say(app: &App, ann: &Actor, conv: ConvId) -> Result<Sent, Failure> {
    say_as(app, ann, conv, "m").await
}

async fn say_as(app: &App, ann: &Actor, conv: ConvId, name: &str) -> Result<Sent, Failure> {
    let text = KnownSegment::Text {
        text: "hi".to_owned(),
    };
    let draft = Draft {
        segments: vec![text.into()],
        reply_to: None,
    };
    let sending = send_segments(app, ann, conv, draft, named(name)).await?;
    sending.saved().await
}
