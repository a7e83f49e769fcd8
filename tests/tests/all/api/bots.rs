//! Bots as a stranger meets them: made by their owner, alive by their tokens, and ended.

use myim_tests::api_person::{ApiPerson, said, seq, text, time, try_sign_in};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::wire::Flavor;
use serde_json::{Value, json};

use super::{Village, refused, row, server_with, went_well};

/// A bot, signed in with a token of its own.
pub(super) struct Bot {
    pub(super) bot: ApiPerson,
    pub(super) token_id: String,
}

/// Makes a bot of this owner.
pub(super) fn bot_of(owner: &ApiPerson, name: &str) -> Bot {
    let made = owner.post("/bots", &json!({"username": name})).ok(201);
    Bot {
        bot: signed_in(owner, &made["bot"], &text(&made["token"])),
        token_id: text(&made["token_id"]),
    }
}

/// Somebody who got a token without signing in.
fn signed_in(owner: &ApiPerson, user: &Value, token: &str) -> ApiPerson {
    let api = owner.api.with_token(token);
    let sessions = api.list("/sessions", 100);
    let current = sessions.iter().find(|one| one["current"] == true);
    ApiPerson {
        name: text(&user["username"]),
        user_id: text(&user["id"]),
        token: token.to_owned(),
        session_id: text(&current.expect("its own session")["session_id"]),
        device: "bot".to_owned(),
        api,
    }
}

fn a_bot_lives(server: &Server) {
    let (ann, eve) = (server.newcomer("ann"), server.newcomer("eve"));
    let mut laptop = ann.connect();
    let wanted = json!({"username": "clock", "nickname": "Clock", "client_id": "c-1"});
    let made = ann.post("/bots", &wanted).ok(201);
    let user = &made["bot"];
    assert_eq!(
        (&user["username"], &user["bot"]),
        (&json!("clock"), &json!(true))
    );
    let heard = laptop.find_event("contact.changed");
    assert_eq!(heard["user_id"], user["id"]);
    assert_eq!(
        ann.post("/bots", &wanted).ok(200),
        made,
        "it is the same bot"
    );
    let clock = signed_in(&ann, user, &text(&made["token"]));

    // Everybody sees that it is a bot, and nobody else is one.
    let path = format!("/users/{}", clock.user_id);
    for seen in [clock.get("/me").ok(200), eve.get(&path).ok(200)] {
        assert_eq!(
            (&seen["bot"], &seen["nickname"]),
            (&json!(true), &json!("Clock"))
        );
    }
    assert!(ann.get("/me").ok(200).get("bot").is_none());
    assert_eq!(ann.list("/bots", 100)[0]["id"], user["id"]);
    assert!(eve.list("/bots", 100).is_empty());

    // The two may write to each other, over everything there is.
    let direct = clock.direct(&ann.user_id);
    let mut running = clock.connect();
    let place = running.say(&direct, "tick");
    laptop.hears(&direct, &["tick"]);
    ann.say(&direct, "a-1", "what time is it?");
    running.hears(&direct, &["what time is it?"]);
    assert_eq!(clock.say(&direct, "b-1", "late"), place + 2);

    let change = json!({"nickname": "Uhr", "signature": "tick tock"});
    let changed = ann
        .patch(&format!("/bots/{}", clock.user_id), &change)
        .ok(200);
    assert_eq!(
        (&changed["nickname"], &changed["bot"]),
        (&json!("Uhr"), &json!(true))
    );
    assert_eq!(clock.get("/me").ok(200)["signature"], "tick tock");

    // Its end: for the running program, for its owner, and for whoever wants its name.
    went_well(&ann.delete(&format!("/bots/{}", clock.user_id)));
    running.is_signed_out();
    clock.get("/me").refused(401, "unauthenticated");
    assert!(ann.list("/bots", 100).is_empty());
    let own = format!("/bots/{}", clock.user_id);
    refused(
        &ann,
        &[
            row("GET", &own, None, (404, "no_such_bot")),
            row(
                "PATCH",
                &own,
                json!({"nickname": "x"}),
                (404, "no_such_bot"),
            ),
            row("DELETE", &own, None, (404, "no_such_bot")),
            row(
                "POST",
                format!("{own}/tokens"),
                json!({}),
                (404, "no_such_bot"),
            ),
            row(
                "POST",
                "/bots",
                json!({"username": "clock"}),
                (409, "username_taken"),
            ),
        ],
    );
    let texts: Vec<_> = ann.history(&direct).iter().map(said).collect();
    assert_eq!(texts, ["tick", "what time is it?", "late"]);
    assert_eq!(eve.get(&path).ok(200)["bot"], true);
}

#[test]
fn a_bot_is_made_and_ended() {
    a_bot_lives(&Server::sqlite());
}

#[test]
fn a_bot_is_made_and_ended_on_mariadb() {
    a_bot_lives(&Server::mariadb());
}

#[test]
fn making_bots_is_refused_where_it_must() {
    let server = server_with("--bots-max", "1");
    let ann = server.newcomer("ann");
    let wanted = |name: &str| json!({"username": name});
    refused(
        &ann,
        &[
            row("POST", "/bots", wanted("ann"), (409, "username_taken")),
            row("POST", "/bots", wanted("Ann"), (409, "username_taken")),
            row("POST", "/bots", wanted(""), (422, "invalid_username")),
            row(
                "POST",
                "/bots",
                wanted("a\u{7}b"),
                (422, "invalid_username"),
            ),
            row("POST", "/bots", json!({}), (400, "invalid_body")),
            row(
                "POST",
                "/bots",
                json!({"username": "x", "nickname": ""}),
                (422, "invalid_value"),
            ),
        ],
    );
    let Bot { bot: clock, .. } = bot_of(&ann, "clock");
    refused(
        &ann,
        &[row("POST", "/bots", wanted("bell"), (409, "limit_reached"))],
    );
    let change = json!({"old_password": "", "new_password": "good enough"});
    refused(
        &clock,
        &[
            row("POST", "/bots", wanted("bell"), (403, "not_for_bots")),
            row("PUT", "/me/password", change, (403, "not_for_bots")),
            row(
                "GET",
                format!("/bots/{}", clock.user_id),
                None,
                (404, "no_such_bot"),
            ),
        ],
    );
    // No password lets anybody in, by any door.
    for password in ["", "clock", "default", "null"] {
        try_sign_in(&server.api(), "clock", password, "x").refused(401, "bad_credentials");
    }
    for password in ["", "clock"] {
        let peer = server.peer(Flavor::Pc);
        let said = myim_tests::person::Person::try_login(peer, "clock", password);
        assert!(said.is_err(), "{password:?}");
    }
}

#[test]
fn only_the_owner_has_to_do_with_a_bot() {
    let server = Server::sqlite();
    let Village { ann, bob, .. } = Village::new(&server);
    let Bot { bot, token_id } = bot_of(&ann, "clock");
    let own = format!("/bots/{}", bot.user_id);
    let not_his = (404, "no_such_bot");
    let rows = |own: &str| {
        vec![
            row("GET", own, None, not_his),
            row("PATCH", own, json!({"nickname": "mine"}), not_his),
            row("DELETE", own, None, not_his),
            row("GET", format!("{own}/tokens"), None, not_his),
            row(
                "POST",
                format!("{own}/tokens"),
                json!({"name": "x"}),
                not_his,
            ),
            row(
                "POST",
                format!("{own}/tokens/{token_id}/rotate"),
                None,
                not_his,
            ),
            row("DELETE", format!("{own}/tokens/{token_id}"), None, not_his),
        ]
    };
    refused(&bob, &rows(&own));
    refused(&ann, &rows(&format!("/bots/{}", bob.user_id)));
    refused(&ann, &rows("/bots/999"));
    assert_eq!(bot.get("/me").ok(200)["nickname"], "clock");
}

fn tokens_and_places(server: &Server) {
    let ann = server.newcomer("ann");
    let Bot { bot, token_id } = bot_of(&ann, "clock");
    let tokens = format!("/bots/{}/tokens", bot.user_id);
    let direct = ann.direct(&bot.user_id);
    ann.say(&direct, "a-1", "one");
    let place = ann.say(&direct, "a-2", "two");
    let mut running = bot.connect();
    running.hears(&direct, &["one", "two"]);
    running.ack(&direct, place);
    ann.say(&direct, "a-3", "three");

    // Another token is another device: it begins at the beginning.
    let further = ann.post(&tokens, &json!({"name": "spare"})).ok(201);
    assert_eq!(further["name"], "spare");
    let me = bot.get("/me").ok(200);
    let spare = signed_in(&ann, &me, &text(&further["token"]));
    spare.connect().hears(&direct, &["one", "two", "three"]);

    // A token that is replaced is worth nothing, its device goes on behind what it acknowledged.
    let replaced = ann
        .call("POST", &format!("{tokens}/{token_id}/rotate"), None)
        .ok(200);
    assert_eq!(
        (&replaced["id"], &replaced["name"]),
        (&json!(token_id), &json!("default"))
    );
    running.is_signed_out();
    bot.get("/me").refused(401, "unauthenticated");
    let again = signed_in(&ann, &me, &text(&replaced["token"]));
    again.connect().hears(&direct, &["three"]);

    let listed = ann.list(&tokens, 100);
    let mut names: Vec<_> = listed.iter().map(|one| text(&one["name"])).collect();
    names.sort();
    assert_eq!(names, ["default", "spare"]);
    for one in &listed {
        time(&one["created_at"]);
        time(&one["seen_at"]);
        assert!(
            one["expires_at"].is_null() && one.get("token").is_none(),
            "{one}"
        );
    }

    // A token that is ended takes its connection along.
    let mut running = spare.connect();
    let path = format!("{tokens}/{}", text(&further["id"]));
    went_well(&ann.delete(&path));
    running.is_signed_out();
    spare.get("/me").refused(401, "unauthenticated");
    again.get("/me").ok(200);
    refused(
        &ann,
        &[
            row("DELETE", &path, None, (404, "no_such_token")),
            row(
                "POST",
                format!("{path}/rotate"),
                None,
                (404, "no_such_token"),
            ),
            row(
                "DELETE",
                format!("{tokens}/7"),
                None,
                (404, "no_such_token"),
            ),
        ],
    );
}

#[test]
fn a_token_is_replaced_and_its_device_goes_on() {
    tokens_and_places(&Server::sqlite());
}

#[test]
fn a_token_is_replaced_and_its_device_goes_on_on_mariadb() {
    tokens_and_places(&Server::mariadb());
}

#[test]
fn a_bot_has_as_many_tokens_as_it_may_and_they_last() {
    let server = server_with("--session-days", "1");
    let ann = server.newcomer("ann");
    let Bot { bot, .. } = bot_of(&ann, "clock");
    let tokens = format!("/bots/{}/tokens", bot.user_id);
    refused(
        &ann,
        &[
            row(
                "POST",
                &tokens,
                json!({"expires_at": "2001-01-01T00:00:00.000Z"}),
                (422, "invalid_value"),
            ),
            row(
                "POST",
                &tokens,
                json!({"expires_at": "soon"}),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                &tokens,
                json!({"name": "x".repeat(65)}),
                (422, "invalid_value"),
            ),
        ],
    );
    let until = "2999-01-01T00:00:00.000Z";
    ann.post(&tokens, &json!({"name": "long", "expires_at": until}))
        .ok(201);
    for _ in 2..100 {
        ann.call("POST", &tokens, None).ok(201);
    }
    refused(
        &ann,
        &[row("POST", &tokens, json!({}), (409, "limit_reached"))],
    );
    let listed = ann.list(&tokens, 500);
    assert_eq!(listed.len(), 100);
    let long = listed.iter().find(|one| one["name"] == "long").unwrap();
    assert_eq!(
        long["expires_at"], until,
        "the days of ordinary sign-ins do not count"
    );
    // The first one was not ended to make room.
    bot.get("/me").ok(200);
}

#[test]
fn an_old_client_hears_a_bot() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).open().start();
    let ann = server.newcomer("ann");
    let Bot { bot, .. } = bot_of(&ann, "clock");
    let mut pc = server.login("ann", Flavor::Pc);
    let direct = bot.direct(&ann.user_id);
    bot.say(&direct, "b-1", "tick");
    let heard = pc.hear();
    assert_eq!((heard.from, heard.text()), (bot.number(), "tick"));
    pc.say(bot.number(), "what time is it?");
    let mut running = bot.connect();
    let event = running.find_event("message");
    assert_eq!(said(&event["message"]), "what time is it?");
    assert_eq!(seq(&event), 2);
    assert!(pc.member(bot.number()).is_some(), "it is among the friends");
}
