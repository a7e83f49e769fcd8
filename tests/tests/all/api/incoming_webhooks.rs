//! Incoming webhooks: whoever knows the address writes, and nobody else.

use myim_tests::api::{Answer, Api};
use myim_tests::api_person::{ApiPerson, said, segments, seq, text, time};
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::{Value, json};

use super::bots::{Bot, bot_of};
use super::{Village, refused, row, server_with, went_well};

/// A webhook of this person into a conversation.
fn webhook(person: &ApiPerson, conversation: &str, fields: &Value) -> Value {
    let path = format!("/conversations/{conversation}/webhooks");
    let made = person.post(&path, fields).ok(201);
    assert_eq!(made["conversation"], *conversation);
    made
}

/// The address below the interface's base.
fn address(made: &Value) -> String {
    let url = text(&made["url"]);
    let path = url.strip_prefix("/api/v1").expect("an absolute path");
    path.to_owned()
}

fn plain(api: &Api, path: &str, words: &str, headers: &[(&str, &str)]) -> Answer {
    let headers = [&[("content-type", "text/plain; charset=utf-8")], headers].concat();
    api.call_raw("POST", path, words.as_bytes().to_vec(), &headers)
}

fn comes_through(server: &Server) {
    let Village {
        ann,
        bob,
        cid,
        choir,
        ..
    } = Village::new(server);
    let nobody = server.api();
    let made = webhook(&ann, &choir, &json!({"name": "builds"}));
    assert_eq!(
        (&made["author"], &made["name"]),
        (&json!(ann.user_id), &json!("builds"))
    );
    let path = address(&made);
    let mut phone = bob.connect();
    let mut laptop = ann.connect();
    ann.say(&choir, "before", "before");

    // As JSON, as segments, as plain text; each is a message like any other.
    let sent = nobody.post(&path, &json!({"text": "build 1"})).ok(201);
    assert_eq!(sent["conversation"], *choir);
    time(&sent["time"]);
    let parts = json!([{"type": "text", "text": "build "}, {"type": "text", "text": "2"}]);
    nobody.post(&path, &json!({"segments": parts})).ok(201);
    plain(&nobody, &path, "build 3\n", &[]).ok(201);
    phone.hears(&choir, &["before", "build 1", "build 2", "build 3"]);
    // Its author hears of them, though this very device wrote the first message.
    laptop.hears(&choir, &["build 1", "build 2", "build 3"]);
    let history = bob.history(&choir);
    let first = history.iter().find(|one| said(one) == "build 1").unwrap();
    assert_eq!(
        (&first["sender"], seq(first)),
        (&json!(ann.user_id), seq(&sent))
    );
    assert_eq!(first["client_id"], sent["client_id"]);

    // It says nothing of what its author has read.
    bob.say(&choir, "unread", "did it work?");
    nobody.post(&path, &json!({"text": "yes"})).ok(201);
    assert_eq!(ann.conversation(&choir)["unread"], 1);

    // The same name is the same message, however it is told.
    let once = nobody
        .post(&path, &json!({"text": "build 4", "client_id": "b4"}))
        .ok(201);
    let again = nobody
        .post(&path, &json!({"text": "build 4", "client_id": "b4"}))
        .ok(200);
    assert_eq!(once, again);
    let keyed = plain(&nobody, &path, "build 4", &[("idempotency-key", "\"b4\"")]).ok(200);
    assert_eq!(keyed, once);
    let other = nobody.post(&path, &json!({"text": "build 5", "client_id": "b4"}));
    other.refused(409, "client_id_conflict");
    // It is none of the author's own names, nor of another webhook's.
    ann.get("/sends/b4").refused(404, "not_stored");
    ann.say(&choir, "b4", "my own");
    let second = webhook(&ann, &choir, &json!({"name": "tests"}));
    let sent = nobody.post(&address(&second), &json!({"text": "x", "client_id": "b4"}));
    assert_ne!(sent.ok(201)["client_id"], once["client_id"]);

    // A bot writes what comes, where it may write.
    let Bot { bot, .. } = bot_of(&ann, "clock");
    let with_bot = json!({"name": "time", "bot_id": bot.user_id});
    let into_choir = format!("/conversations/{choir}/webhooks");
    ann.post(&into_choir, &with_bot)
        .refused(403, "not_a_member");
    cid.post(&into_choir, &with_bot).refused(404, "no_such_bot");
    let direct = ann.direct(&bot.user_id);
    let time = webhook(&ann, &direct, &with_bot);
    assert_eq!(time["author"], *bot.user_id);
    nobody
        .post(&address(&time), &json!({"text": "tick"}))
        .ok(201);
    laptop.hears(&direct, &["tick"]);
}

#[test]
fn what_comes_through_a_webhook_is_a_message() {
    comes_through(&Server::sqlite());
}

#[test]
fn what_comes_through_a_webhook_is_a_message_on_mariadb() {
    comes_through(&Server::mariadb());
}

#[test]
fn a_webhook_is_its_makers() {
    let server = Server::sqlite();
    let Village {
        ann, bob, choir, ..
    } = Village::new(&server);
    let nobody = server.api();
    let made = webhook(&ann, &choir, &json!({"name": "builds"}));
    let own = format!("/webhooks/incoming/{}", text(&made["id"]));
    let listed = &ann.list("/webhooks/incoming", 100)[0];
    time(&listed["created_at"]);
    assert!(
        listed["used_at"].is_null() && listed.get("url").is_none(),
        "{listed}"
    );
    assert_eq!(
        (&listed["author"], &listed["name"]),
        (&json!(ann.user_id), &json!("builds"))
    );
    assert!(bob.list("/webhooks/incoming", 100).is_empty());
    let not_his = (404, "no_such_webhook");
    let rows = [
        row("DELETE", &own, None, not_his),
        row("POST", format!("{own}/rotate"), None, not_his),
    ];
    refused(&bob, &rows);
    let export = String::from_utf8(ann.get("/me/export").body.to_vec()).unwrap();
    assert!(export.contains(r#""type":"incoming_webhook""#), "{export}");
    nobody.post(&address(&made), &json!({"text": "1"})).ok(201);
    let rotated = ann.call("POST", &format!("{own}/rotate"), None).ok(200);
    assert_eq!(
        (&rotated["id"], &rotated["name"]),
        (&made["id"], &made["name"])
    );
    nobody
        .post(&address(&made), &json!({"text": "2"}))
        .refused(404, "no_such_webhook");
    nobody
        .post(&address(&rotated), &json!({"text": "3"}))
        .ok(201);
    time(&ann.list("/webhooks/incoming", 100)[0]["used_at"]);
    went_well(&ann.delete(&own));
    nobody
        .post(&address(&rotated), &json!({"text": "4"}))
        .refused(404, "no_such_webhook");
    refused(&ann, &rows);
    // A bot takes its webhooks along.
    let Bot { bot, .. } = bot_of(&ann, "clock");
    let direct = ann.direct(&bot.user_id);
    let made = webhook(
        &ann,
        &direct,
        &json!({"name": "time", "bot_id": bot.user_id}),
    );
    went_well(&ann.delete(&format!("/bots/{}", bot.user_id)));
    nobody
        .post(&address(&made), &json!({"text": "5"}))
        .refused(404, "no_such_webhook");
    assert!(ann.list("/webhooks/incoming", 100).is_empty());
}

#[test]
fn a_webhook_is_refused_where_its_author_is() {
    let server = Server::sqlite();
    let Village {
        ann,
        bob,
        eve,
        direct,
        group,
        choir,
        ..
    } = Village::new(&server);
    let nobody = server.api();
    let wanted = json!({"name": "x"});
    let into = |conversation: &str| format!("/conversations/{conversation}/webhooks");
    refused(
        &eve,
        &[
            row(
                "POST",
                into(&direct),
                wanted.clone(),
                (404, "no_such_conversation"),
            ),
            row("POST", into(&choir), wanted.clone(), (403, "not_a_member")),
            row("POST", into("7"), wanted.clone(), (404, "not_found")),
        ],
    );
    refused(
        &bob,
        &[
            row("POST", into(&choir), json!({}), (400, "invalid_body")),
            row(
                "POST",
                into(&choir),
                json!({"name": ""}),
                (422, "invalid_value"),
            ),
        ],
    );
    let path = address(&webhook(&bob, &choir, &wanted));
    refused(
        &nobody,
        &[
            row("POST", &path, json!({}), (400, "invalid_body")),
            row(
                "POST",
                &path,
                json!({"text": "a", "segments": segments("a")}),
                (400, "invalid_body"),
            ),
            row("POST", &path, json!({"text": ""}), (422, "invalid_value")),
            row(
                "POST",
                &path,
                json!({"text": "a", "client_id": ""}),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                &path,
                json!({"text": "x".repeat(70_000)}),
                (413, "message_too_large"),
            ),
            row(
                "POST",
                format!("{path}x"),
                json!({"text": "a"}),
                (404, "no_such_webhook"),
            ),
            row(
                "POST",
                "/hooks/7/x",
                json!({"text": "a"}),
                (404, "no_such_webhook"),
            ),
            row(
                "POST",
                "/hooks/x/x",
                json!({"text": "a"}),
                (404, "no_such_webhook"),
            ),
        ],
    );
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = nobody.call_raw("POST", &path, b"text=a".to_vec(), &form);
    answer.refused(415, "unsupported_media_type");
    plain(&nobody, &path, "a", &[("idempotency-key", "a b")]).refused(422, "invalid_value");
    let latin = [("content-type", "text/plain")];
    let answer = nobody.call_raw("POST", &path, vec![0xe4], &latin);
    answer.refused(400, "invalid_body");
    // Who is silenced, or left, does not speak through a webhook either.
    let member = format!("/groups/{group}/members/{}", bob.user_id);
    let until = json!({"muted_until": "2999-01-01T00:00:00.000Z"});
    went_well(&ann.patch(&member, &until));
    nobody
        .post(&path, &json!({"text": "a"}))
        .refused(403, "muted");
    went_well(&bob.delete(&member));
    nobody
        .post(&path, &json!({"text": "a"}))
        .refused(403, "not_a_member");
}

#[test]
fn wrong_secrets_are_counted_and_the_right_one_is_not_held_up() {
    let server = server_with("--login-failures-max", "3");
    let ann = server.newcomer("ann");
    let own = ann.direct(&ann.user_id);
    let path = address(&webhook(&ann, &own, &json!({"name": "notes"})));
    let nobody = server.api();
    let wrong = format!("{path}x");
    for _ in 0..3 {
        nobody
            .post(&wrong, &json!({"text": "a"}))
            .refused(404, "no_such_webhook");
    }
    nobody
        .post(&wrong, &json!({"text": "a"}))
        .refused(429, "too_many_attempts");
    nobody.post(&path, &json!({"text": "a"})).ok(201);
}

#[test]
fn sends_through_a_webhook_count_for_its_author() {
    let server = server_with("--rate-sends-per-s", "1");
    let ann = server.newcomer("ann");
    let own = ann.direct(&ann.user_id);
    let path = address(&webhook(&ann, &own, &json!({"name": "notes"})));
    let nobody = server.api();
    let answers: Vec<_> = (0..3)
        .map(|_| nobody.post(&path, &json!({"text": "a"})))
        .collect();
    answers[0].ok(201);
    answers[2].refused(429, "rate_limited");
}

#[test]
fn no_secret_and_no_token_is_logged() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .flag("--log", "trace")
        .start();
    let ann = server.newcomer("ann");
    let Bot { bot, token_id } = bot_of(&ann, "clock");
    let path = format!("/bots/{}/tokens/{token_id}/rotate", bot.user_id);
    let token = text(&ann.call("POST", &path, None).ok(200)["token"]);
    let own = ann.direct(&ann.user_id);
    let made = address(&webhook(&ann, &own, &json!({"name": "notes"})));
    let nobody = server.api();
    nobody.post(&made, &json!({"text": "what is said"})).ok(201);
    nobody
        .post("/hooks/7/wrong-secret", &json!({}))
        .refused(404, "no_such_webhook");
    server.logged("/api/v1/hooks/{id}/{secret}");
    let log = server.program().log();
    let secret = made.rsplit('/').next().unwrap();
    for hidden in [secret, "wrong-secret", &token, &bot.token, "what is said"] {
        assert!(!log.contains(hidden), "{hidden} was logged");
    }
}
