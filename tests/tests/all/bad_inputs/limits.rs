//! Far more than fits: marks on a letter, names of sends, places, members.

use myim_tests::api_person::{segments, seq};
use myim_tests::server::Server;
use serde_json::{Value, json};

use super::watch::Watch;

#[test]
fn a_letter_may_have_ten_thousand_marks_in_a_message_and_in_no_name() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    let word = format!("e{}", "\u{301}".repeat(10_000));
    let place = ann.say(&direct, "a1", &word);
    let found = bob
        .history(&direct)
        .into_iter()
        .find(|one| seq(one) == place);
    assert_eq!(found.unwrap()["segments"], segments(&word), "31");
    watch.held("31 in a message");
    for (method, path, field) in [
        ("PATCH", "/me".to_owned(), "nickname"),
        ("PATCH", format!("/contacts/{}", bob.user_id), "remark"),
        ("POST", "/groups".to_owned(), "name"),
    ] {
        let answer = ann.call(method, &path, Some(&json!({field: word})));
        answer.refused(422, "invalid_value");
        watch.held("31 in a name");
    }
}

#[test]
fn the_name_of_a_send_has_a_limit() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    ann.say(&direct, "a1", "a name that fits");
    for (length, statuses) in [
        (0, [400, 422]),
        (100_000, [400, 422]),
        (1 << 20, [413, 413]),
    ] {
        let answer = ann.try_say(&direct, &"x".repeat(length), "hello");
        answer.problem();
        assert!(statuses.contains(&answer.status), "39 {length}: {answer}");
        watch.held("39");
    }
    assert!(
        bob.history(&direct)
            .iter()
            .all(|one| one["segments"] != segments("hello"))
    );
}

#[test]
fn a_place_that_is_none_is_acknowledged_in_vain() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    for (number, place) in [
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1_000_000),
        json!(-1),
    ]
    .iter()
    .enumerate()
    {
        let mut phone = bob.connect();
        let fields = json!({"conversation": direct, "seq": place});
        // Refused or not: it changes nothing.
        let _answer: Result<Value, Value> = phone.ask("ack", fields);
        phone.leave();
        let words = format!("after {number}");
        ann.say(&direct, &format!("a{number}"), &words);
        let mut phone = bob.connect();
        phone.hears(&direct, &[&words]);
        phone.ack_all();
        phone.leave();
        watch.held("40");
    }
}

#[test]
fn nobody_founds_a_group_of_a_hundred_thousand() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let ann = server.newcomer("ann");
    for (count, statuses) in [(20_000, [422, 422]), (100_000, [413, 422])] {
        let members: Vec<_> = (2..count).map(|number: u32| number.to_string()).collect();
        let answer = ann.post("/groups", &json!({"name": "all", "member_ids": members}));
        answer.problem();
        assert!(
            statuses.contains(&answer.status),
            "44 {count}: {}",
            answer.status
        );
        watch.held("44");
    }
    assert!(ann.conversations().iter().all(|one| one["name"] != "all"));
}
