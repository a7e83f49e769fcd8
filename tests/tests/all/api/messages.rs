//! Messages: sent once, read in order, answered, edited, taken back, reacted to, found again.

use std::time::Instant;

use myim_tests::api::escaped;
use myim_tests::api_person::{said, segments, seq, time};
use myim_tests::peer::PATIENCE;
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::{Value, json};

use super::{Village, refused, row, server_with, went_well};

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().expect("a list")
}

#[test]
fn a_message_is_stored_once_whatever_repeats_it() {
    let mut server = Server::sqlite();
    let Village {
        ann,
        bob,
        direct,
        choir,
        ..
    } = Village::new(&server);
    let first = ann.try_say(&direct, "c-1", "hello").ok(201);
    let again = ann.try_say(&direct, "c-1", "hello").ok(200);
    assert_eq!(again, first, "the same answer, whoever asks how often");
    let mut laptop = ann.connect();
    let to = json!({"conversation": direct});
    let over = laptop.try_send_to(&to, "c-1", &segments("hello"));
    assert_eq!(over, Ok(seq(&first)), "and over which door");
    server.crash();
    assert_eq!(ann.try_say(&direct, "c-1", "hello").ok(200), first);
    ann.try_say(&direct, "c-1", "something else")
        .refused(409, "client_id_conflict");
    ann.try_say(&choir, "c-1", "hello")
        .refused(409, "client_id_conflict");
    assert_eq!(
        bob.history(&direct)
            .iter()
            .filter(|one| said(one) == "hello")
            .count(),
        1
    );
    // Another sender's names are his own.
    assert!(bob.try_say(&direct, "c-1", "my own").status == 201);

    let fate = ann.get("/sends/c-1").ok(200);
    for field in ["conversation", "seq", "time"] {
        assert_eq!(fate[field], first[field]);
    }
    ann.get("/sends/never-sent").refused(404, "not_stored");
    bob.get("/sends/c-2").refused(404, "not_stored");
}

#[test]
fn history_reads_forwards_and_backwards() {
    let server = Server::sqlite();
    let Village {
        ann, bob, direct, ..
    } = Village::new(&server);
    let mut laptop = ann.connect();
    for number in 1..=25 {
        laptop.say(&direct, &number.to_string());
    }
    let all = bob.history(&direct);
    let texts: Vec<_> = all
        .iter()
        .map(said)
        .filter(|text| !text.is_empty())
        .collect();
    let wanted: Vec<_> = (1..=25).map(|number| number.to_string()).collect();
    assert_eq!(texts, wanted);
    for message in &all {
        assert_eq!(message["conversation"], *direct);
        time(&message["time"]);
    }
    let path = format!("/conversations/{direct}/messages");
    let middle = seq(&all[all.len() - 10]);
    let before = bob.get(&format!("{path}?before={middle}&limit=5")).ok(200);
    let before: Vec<_> = items(&before).iter().map(seq).collect();
    assert_eq!(before.len(), 5);
    assert!(
        before.is_sorted() && before.last() == Some(&(middle - 1)),
        "{before:?}"
    );
    let after = bob.get(&format!("{path}?after={middle}&limit=5")).ok(200);
    let after: Vec<_> = items(&after).iter().map(seq).collect();
    assert_eq!(after, (middle + 1..middle + 6).collect::<Vec<_>>());
    let newest = bob.get(&format!("{path}?limit=3")).ok(200);
    assert_eq!(
        said(items(&newest).last().unwrap()),
        "25",
        "the newest page"
    );
    let far = u64::MAX / 2;
    for empty in [
        format!("{path}?after={far}"),
        format!("{path}?before=1"),
        format!("{path}?before=0"),
    ] {
        assert!(items(&bob.get(&empty).ok(200)).is_empty(), "{empty}");
    }
}

#[test]
fn every_kind_of_segment_comes_back_as_it_was_sent() {
    let server = Server::sqlite();
    let Village {
        ann, bob, direct, ..
    } = Village::new(&server);
    let what = json!([
        {"type": "text", "text": "Grüße 你好 😀 <b>&amp;\u{2028}"},
        {"type": "face", "id": 14},
        {"type": "mention", "user_id": bob.user_id},
        {"type": "mention", "user_id": "all"},
        {"type": "nudge"},
        {"type": "custom", "data": {"deep": [1, 2.5, null, true, "x"]}},
        {"type": "hologram", "of": "the future"},
    ]);
    let body = json!({"client_id": "c-1", "segments": what, "reply_to": null});
    let path = format!("/conversations/{direct}/messages");
    let answer = ann.post(&path, &body);
    let answer = if answer.status == 400 {
        // Null and absent may be told apart; leaving it out is always right.
        ann.post(&path, &json!({"client_id": "c-1", "segments": what}))
    } else {
        answer
    };
    let first = seq(&answer.ok(201));
    let found = bob
        .history(&direct)
        .into_iter()
        .find(|one| seq(one) == first)
        .unwrap();
    assert_eq!(found["segments"], what);
    let reply = json!({"client_id": "c-2", "segments": segments("indeed"), "reply_to": first});
    let second = seq(&bob.post(&path, &reply).ok(201));
    let found = ann
        .history(&direct)
        .into_iter()
        .find(|one| seq(one) == second)
        .unwrap();
    assert_eq!(found["reply_to"], first);
    let wrong = |what: Value| json!({"client_id": "w", "segments": what});
    let reply_to =
        |seq: Value| json!({"client_id": "w", "segments": segments("x"), "reply_to": seq});
    let file = "0".repeat(64);
    refused(
        &ann.api,
        &[
            row(
                "POST",
                path.as_str(),
                wrong(json!([{"type": "text"}])),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                path.as_str(),
                wrong(json!([{"text": "no type"}])),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                path.as_str(),
                wrong(json!([{"type": 7}])),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                path.as_str(),
                wrong(json!("text")),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                path.as_str(),
                wrong(json!([])),
                (422, "invalid_value"),
            ),
            row(
                "POST",
                path.as_str(),
                wrong(segments("")),
                (422, "invalid_value"),
            ),
            row(
                "POST",
                path.as_str(),
                wrong(segments("a\u{0}b")),
                (422, "invalid_value"),
            ),
            row(
                "POST",
                path.as_str(),
                wrong(json!([{"type": "face", "id": -1}])),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                path.as_str(),
                wrong(json!([{"type": "mention", "user_id": "01"}])),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                path.as_str(),
                wrong(json!([{"type": "mention", "user_id": "999"}])),
                (422, "invalid_value"),
            ),
            row(
                "POST",
                path.as_str(),
                wrong(
                    json!([{"type": "file", "file": "ABC", "name": "n", "size": 1, "mime": "m"}]),
                ),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                path.as_str(),
                wrong(
                    json!([{"type": "file", "file": file, "name": "n", "size": 1, "mime": "text/plain"}]),
                ),
                (422, "no_such_file"),
            ),
            row(
                "POST",
                path.as_str(),
                reply_to(json!(999)),
                (404, "no_such_message"),
            ),
            row(
                "POST",
                path.as_str(),
                reply_to(json!(-1)),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                path.as_str(),
                reply_to(json!("1")),
                (400, "invalid_body"),
            ),
        ],
    );
}

#[test]
fn edited_reacted_to_and_taken_back() {
    let mut server = Server::sqlite();
    let Village {
        ann,
        bob,
        direct,
        eve,
        ..
    } = Village::new(&server);
    let place = ann.say(&direct, "a1", "tea at fuor");
    let mut phone = bob.connect();
    let path = format!("/conversations/{direct}/messages/{place}");
    went_well(&ann.patch(&path, &json!({"segments": segments("tea at four")})));
    let event = phone.find_event("message.updated");
    assert_eq!(
        (&event["conversation"], &event["message"]["seq"]),
        (&json!(direct), &json!(place))
    );
    assert!(seq(&event) > place);
    time(&event["message"]["edited_at"]);
    let thumb = format!("{path}/reactions/{}", escaped("👍"));
    went_well(&bob.call("PUT", &thumb, None));
    went_well(&bob.call("PUT", &thumb, None));
    went_well(&ann.call("PUT", &thumb, None));
    let now = |person: &myim_tests::api_person::ApiPerson| {
        let mut all = person.history(&direct).into_iter();
        all.find(|one| seq(one) == place).unwrap()
    };
    let shown = now(&ann);
    assert_eq!(said(&shown), "tea at four");
    assert_eq!(
        (
            &shown["reactions"][0]["emoji"],
            &shown["reactions"][0]["count"]
        ),
        (&json!("👍"), &json!(2))
    );
    went_well(&bob.delete(&thumb));
    server.crash();
    assert_eq!(now(&ann)["reactions"][0]["count"], 1);
    refused(
        &bob.api,
        &[
            row(
                "PATCH",
                path.as_str(),
                json!({"segments": segments("no")}),
                (403, "not_the_author"),
            ),
            row(
                "POST",
                format!("{path}/recall"),
                json!({}),
                (403, "not_the_author"),
            ),
            row(
                "PATCH",
                format!("/conversations/{direct}/messages/999"),
                json!({"segments": segments("x")}),
                (404, "no_such_message"),
            ),
            row(
                "POST",
                format!("/conversations/{direct}/messages/0/recall"),
                json!({}),
                (404, "no_such_message"),
            ),
            row(
                "POST",
                format!("/conversations/{direct}/messages/-1/recall"),
                json!({}),
                (404, "not_found"),
            ),
            row(
                "PUT",
                format!("{path}/reactions/{}", "x".repeat(500)),
                None,
                (422, "invalid_value"),
            ),
        ],
    );
    eve.patch(&path, &json!({"segments": segments("x")}))
        .refused(404, "no_such_conversation");
    went_well(&ann.post(&format!("{path}/recall"), &json!({})));
    let shown = now(&bob);
    assert_eq!(shown["segments"], json!([]));
    time(&shown["recalled_at"]);
    assert!(
        !shown.to_string().contains("tea"),
        "nothing of it is left: {shown}"
    );
    ann.post(&format!("{path}/recall"), &json!({}))
        .refused(409, "already_recalled");
    ann.patch(&path, &json!({"segments": segments("tea")}))
        .refused(409, "already_recalled");
    assert!(!bob.conversation(&direct).to_string().contains("tea"));
    assert!(
        bob.list("/search?q=four", 10).is_empty(),
        "and nobody finds it"
    );
}

#[test]
fn the_time_to_take_back_is_limited() {
    let server = server_with("--recall-within-s", "0");
    let Village { ann, direct, .. } = Village::new(&server);
    let place = ann.say(&direct, "a1", "for ever");
    ann.post(
        &format!("/conversations/{direct}/messages/{place}/recall"),
        &json!({}),
    )
    .refused(403, "too_late");
}

#[test]
fn words_are_found_also_in_chinese() {
    let asked_often = |kind, db| {
        let setup = Setup::new(kind, db).chat_flag("--rate-searches-per-s", "0");
        let server = setup.start();
        server.logged("database open");
        server
    };
    for server in [
        asked_often(Kind::Whole, Db::Sqlite),
        asked_often(Kind::Separate, Db::MariaDb),
    ] {
        let Village {
            ann,
            bob,
            eve,
            direct,
            choir,
            ..
        } = Village::new(&server);
        for (at, text) in [
            "我们明天去北京开会",
            "Rehearsal at eight",
            "the REHEARSALS are over",
            "naïve café",
        ]
        .into_iter()
        .enumerate()
        {
            ann.say(&direct, &format!("a{at}"), text);
        }
        ann.say(&choir, "c", "rehearsal of the choir");
        let found = |query: &str| {
            let path = format!("/search?q={}", escaped(query));
            // The index may be a moment behind the log; it says so by answering later.
            let hits = bob.list(&path, 50);
            hits.iter()
                .map(|hit| {
                    said(if hit["message"].is_object() {
                        &hit["message"]
                    } else {
                        hit
                    })
                })
                .collect::<Vec<_>>()
        };
        let deadline = Instant::now() + PATIENCE;
        while found("rehearsal").len() < 3 {
            assert!(Instant::now() < deadline, "the index never arrives");
        }
        assert_eq!(found("北京"), ["我们明天去北京开会"]);
        assert_eq!(found("开会"), ["我们明天去北京开会"]);
        assert!(found("rehearsal").len() >= 2, "{:?}", found("rehearsal"));
        assert!(found("上海").is_empty());
        let path = format!("/search?q=rehearsal&conversation={choir}");
        assert_eq!(bob.list(&path, 50).len(), 1);
        assert!(
            eve.list("/search?q=rehearsal", 50).is_empty(),
            "nobody finds what is not his"
        );
        refused(
            &bob.api,
            &[
                row("GET", "/search", None, (400, "invalid_parameter")),
                row(
                    "GET",
                    "/search?q=x&conversation=7",
                    None,
                    (400, "invalid_parameter"),
                ),
                row(
                    "GET",
                    format!("/search?q={}", "x".repeat(2000)),
                    None,
                    (422, "invalid_value"),
                ),
            ],
        );
    }
}

#[test]
fn ones_own_data_can_be_taken_along() {
    let server = Server::sqlite();
    let Village {
        ann, eve, direct, ..
    } = Village::new(&server);
    ann.say(&direct, "a1", "my own words");
    let export = ann.get("/me/export");
    assert_eq!(export.status, 200, "{export}");
    let text = String::from_utf8_lossy(&export.body);
    assert!(text.contains("my own words") && text.contains("bob"));
    let nothing = eve.get("/me/export");
    assert!(!String::from_utf8_lossy(&nothing.body).contains("my own words"));
}
