//! The list of conversations: what is in it, in which order, what is unread, muted, pinned, hidden.

use myim_tests::api_person::{ApiPerson, segments, seq, text};
use myim_tests::server::Server;
use serde_json::{Value, json};

use super::{Village, refused, row, went_well};

fn ids(person: &ApiPerson) -> Vec<String> {
    let all = person.conversations();
    all.iter().map(|one| text(&one["id"])).collect()
}

#[test]
fn the_newest_activity_stands_first() {
    let server = Server::sqlite();
    let Village {
        ann,
        bob,
        cid,
        direct,
        choir,
        ..
    } = Village::new(&server);
    let with_cid = ann.direct(&cid.user_id);
    for (at, conversation) in [&direct, &choir, &with_cid, &direct]
        .into_iter()
        .enumerate()
    {
        ann.say(conversation, &format!("a{at}"), "hello");
    }
    assert_eq!(ids(&ann)[..3], [direct.clone(), with_cid, choir.clone()]);
    // Page by page it is the same list.
    let pages: Vec<_> = ann
        .list("/conversations", 1)
        .iter()
        .map(|one| text(&one["id"]))
        .collect();
    assert_eq!(pages, ids(&ann));
    let shown = bob.conversation(&direct);
    assert_eq!(shown["kind"], "direct");
    assert_eq!(shown["peer"]["username"], "ann", "{shown}");
    assert_eq!(
        shown["last_message"]["segments"],
        segments("hello"),
        "{shown}"
    );
    assert_eq!(shown["last_seq"], shown["last_message"]["seq"], "{shown}");
    let shown = bob.conversation(&choir);
    assert_eq!(shown["kind"], "group");
    assert_eq!(shown["group"]["name"], "Choir", "{shown}");
}

#[test]
fn unread_is_what_others_wrote_behind_the_read_mark() {
    let mut server = Server::sqlite();
    let Village {
        ann, bob, direct, ..
    } = Village::new(&server);
    let unread = |person: &ApiPerson| person.conversation(&direct)["unread"].as_u64();
    for number in 1..=3 {
        ann.say(&direct, &format!("a{number}"), "hello");
    }
    assert_eq!((unread(&ann), unread(&bob)), (Some(0), Some(3)));
    let mut listening = ann.connect();
    let read = format!("/conversations/{direct}/read");
    let second = bob.history(&direct).iter().map(seq).nth(1).unwrap();
    went_well(&bob.post(&read, &json!({"seq": second})));
    let event = listening.find_event("read");
    assert_eq!(event["conversation"], *direct, "{event}");
    assert_eq!(
        (&event["user_id"], &event["seq"]),
        (&json!(bob.user_id), &json!(second))
    );
    assert_eq!(unread(&bob), Some(1));
    // Back is nowhere, and the end is the end.
    went_well(&bob.post(&read, &json!({"seq": 0})));
    assert_eq!(unread(&bob), Some(1));
    server.crash();
    assert_eq!(unread(&bob), Some(1), "read marks are durable");
    let mut phone = bob.connect();
    phone.ok("read", json!({"conversation": direct, "seq": second + 1}));
    assert_eq!(unread(&bob), Some(0));
    let beyond = bob.post(&read, &json!({"seq": 1_000_000_000_000_u64}));
    assert!(beyond.status < 500, "{beyond}");
    ann.say(&direct, "a4", "and now?");
    assert_eq!(
        unread(&bob),
        Some(1),
        "nobody reads what is not written yet"
    );
}

#[test]
fn muted_pinned_and_hidden_are_ones_own_business() {
    let server = Server::sqlite();
    let Village {
        ann,
        bob,
        direct,
        choir,
        ..
    } = Village::new(&server);
    ann.say(&choir, "a1", "older");
    ann.say(&direct, "a2", "newer");
    let path = format!("/conversations/{choir}");
    went_well(&bob.patch(&path, &json!({"pinned": true, "muted": true})));
    let shown = bob.conversation(&choir);
    assert_eq!(
        (&shown["pinned"], &shown["muted"]),
        (&json!(true), &json!(true)),
        "{shown}"
    );
    assert_eq!(ann.conversation(&choir)["pinned"], false);
    went_well(&bob.patch(&path, &json!({"hidden": true})));
    assert!(!ids(&bob).contains(&choir));
    ann.say(&choir, "a3", "hidden until somebody writes");
    assert!(ids(&bob).contains(&choir), "a message brings it back");
    refused(
        &bob.api,
        &[
            row(
                "PATCH",
                path.as_str(),
                json!({"pinned": "yes"}),
                (400, "invalid_body"),
            ),
            row("POST", "/conversations", json!({}), (400, "invalid_body")),
            row(
                "POST",
                "/conversations",
                json!({"user_id": "999"}),
                (404, "no_such_user"),
            ),
            row(
                "POST",
                "/conversations",
                json!({"group_id": "268435999"}),
                (403, "not_a_member"),
            ),
            row(
                "POST",
                "/conversations",
                json!({"group_id": "1"}),
                (403, "not_a_member"),
            ),
            row(
                "GET",
                "/conversations?cursor=nonsense",
                None,
                (400, "invalid_parameter"),
            ),
        ],
    );
}

#[test]
fn a_conversation_is_found_or_made() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let found: Vec<String> = [&ann, &bob]
        .map(|one| {
            let other = if one.name == "ann" { &bob } else { &ann };
            one.direct(&other.user_id)
        })
        .into();
    assert_eq!(found[0], found[1], "one conversation for both");
    assert_eq!(ann.direct(&bob.user_id), found[0]);
    let alone = ann.direct(&ann.user_id);
    ann.say(&alone, "note", "buy milk");
    let mut phone = server.sign_in("ann", "phone").connect();
    phone.hears(&alone, &["buy milk"]);
    let empty: Value = ann
        .get(&format!("/conversations/{}/messages", found[0]))
        .ok(200);
    assert!(empty["items"].is_array());
}
