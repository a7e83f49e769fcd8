//! What is saved while the answer is lost reaches everybody all the same.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use common::api::KnownSegment;
use common::config::ChatConfig;
use common::id::ConvId;
use common::store::StoreError;

use crate::actor::Actor;
use crate::app::App;
use crate::command::{
    Draft, Failure, Sent, add_member, create_group, remove_member, send_segments,
};
use crate::hub::{ClientKind, Entrant, Manner, ONLINE, Session};
use crate::testing::{TestServer, named};

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

async fn say(app: &App, ann: &Actor, conv: ConvId) -> Result<Sent, Failure> {
    let text = KnownSegment::Text {
        text: "hi".to_owned(),
    };
    let draft = Draft {
        segments: vec![text.into()],
        reply_to: None,
    };
    let sending = send_segments(app, ann, conv, draft, named("m")).await?;
    sending.saved().await
}
