//! What is saved while the answer is lost reaches everybody all the same.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use common::config::ChatConfig;
use common::id::ConvId;

use crate::actor::Actor;
use crate::command::{add_member, create_group, remove_member};
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
