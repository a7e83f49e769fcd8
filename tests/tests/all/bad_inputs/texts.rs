//! Texts, numbers and names that mean something to somebody else: they stay what they are.

use myim_tests::api_person::{ApiPerson, segments, seq, text, try_sign_in};
use myim_tests::http;
use myim_tests::person::{Person, login_data, message, register};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::Transfer;
use myim_tests::wire::Flavor;
use serde_json::{Value, json};

use super::watch::Watch;

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let mut watch = Watch::new(&server);
    let direct = ann.direct(&bob.user_id);
    ann.say(&direct, "a1", "hello");
    let read = format!("/conversations/{direct}/read");
    for number in [
        "1e400",
        "-1e400",
        "1e999999",
        "18446744073709551616",
        "-9223372036854775809",
        "1.5",
        "-1",
        "1e2",
        "NaN",
        "Infinity",
        "0x1",
        "+1",
        "01",
        "\"1\"",
        "null",
        "[1]",
        "{}",
        "true",
    ] {
        let bodies = [
            ("POST", read.clone(), format!("{{\"seq\":{number}}}")),
            (
                "POST",
                format!("/conversations/{direct}/messages"),
                format!(
                    "{{\"client_id\":\"n\",\"segments\":[{{\"type\":\"text\",\"text\":\"x\"}}],\
                     \"reply_to\":{number}}}"
                ),
            ),
        ];
        for (method, path, body) in bodies {
            // No reply at all is what null says.
            if number == "null" && path.ends_with("/messages") {
                continue;
            }
            let answer = bob.call_raw(method, &path, body.into_bytes(), &[]);
            assert_eq!(answer.status, 400, "{number}: {answer}");
            answer.problem();
        }
        watch.held(number);
    }
    // A place behind the end is none, and nothing wraps around.
    let beyond = json!({"seq": 1_u64 << 63});
    bob.post(&read, &beyond).ok(204);
    assert_eq!(bob.conversation(&direct)["unread"], 0);
    ann.say(&direct, "a2", "again");
    assert_eq!(bob.conversation(&direct)["unread"], 1);
    // Numbers of people and groups travel as text, and as nothing else.
    for id in [
        json!(1),
        json!(1.0),
        json!("1.0"),
        json!("+1"),
        json!(" 1"),
        json!("1e0"),
        json!(""),
        json!("4294967297"),
    ] {
        let answer = ann.post("/conversations", &json!({"user_id": id}));
        assert!([400, 404, 422].contains(&answer.status), "{id}: {answer}");
        watch.held("25 ids");
    }
}

#[test]
fn words_of_other_languages_are_words() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let mut watch = Watch::new(&server);
    let direct = ann.direct(&bob.user_id);
    for (number, word) in [
        "__proto__",
        "constructor",
        "toString",
        "hasOwnProperty",
        "null",
        "undefined",
        "true",
        "'; DROP TABLE t_user; --",
        "\" OR 1=1 --",
        "%' OR '1'='1",
        "\\",
        "%s%n%x",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "<img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "\u{202e}gnp.exe",
        "e\u{301}",
        "\u{e9}",
        "\u{1f468}\u{200d}\u{1f469}",
        "\u{feff}x",
    ]
    .iter()
    .enumerate()
    {
        let place = ann.say(&direct, &format!("w{number}"), word);
        let found = bob
            .history(&direct)
            .into_iter()
            .find(|one| seq(one) == place);
        assert_eq!(found.unwrap()["segments"], segments(word), "{word:?}");
        // As a key it is carried along, and means nothing.
        let data = json!({(*word): {"polluted": true}});
        let body = json!({"client_id": format!("k{number}"), "segments":
            [{"type": "custom", "data": data}]});
        let stored = ann
            .post(&format!("/conversations/{direct}/messages"), &body)
            .ok(201);
        let place = seq(&stored);
        let found = bob
            .history(&direct)
            .into_iter()
            .find(|one| seq(one) == place);
        let found = found.unwrap();
        assert_eq!(found["segments"][0]["data"], data, "{word:?}");
        assert_eq!(found["polluted"], Value::Null);
        // And in whatever else takes a text.
        let remark = ann.patch(
            &format!("/contacts/{}", bob.user_id),
            &json!({"remark": word}),
        );
        if remark.status < 300 {
            let contacts = ann.list("/contacts", 10);
            assert!(
                contacts.iter().any(|one| one["remark"] == *word),
                "{word:?}"
            );
        } else {
            assert_eq!(remark.status, 422, "{remark}");
        }
        watch.held(word);
    }
    assert_eq!(text(&ann.get("/me").ok(200)["username"]), "ann");
}

#[test]
fn the_server_alone_gives_numbers() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    let first = ann.say(&direct, "a1", "one");
    let forged = json!({
        "client_id": "a2", "segments": segments("two"), "seq": 999_999, "id": "7",
        "sender": bob.user_id, "from": bob.user_id, "user_id": bob.user_id, "time": "1999-01-01T00:00:00.000Z",
        "device": "8", "conversation": "1", "epoch": "x",
    });
    let stored = ann
        .post(&format!("/conversations/{direct}/messages"), &forged)
        .ok(201);
    assert_eq!(seq(&stored), first + 1);
    let mut laptop = ann.connect();
    let fields = json!({"to": {"conversation": direct}, "client_id": "a3", "seq": 5, "sender": bob.user_id,
        "segments": segments("three")});
    assert_eq!(seq(&laptop.ok("message.send", fields)), first + 2);
    for one in bob.history(&direct).iter().filter(|one| seq(one) >= first) {
        assert_eq!(
            one["sender"]["id"].as_str().or(one["sender"].as_str()),
            Some(ann.user_id.as_str()),
            "{one}"
        );
        assert!(!one["time"].as_str().unwrap().starts_with("1999"), "{one}");
    }
}

#[test]
fn names_are_the_same_only_letter_by_letter() {
    let mut server = Server::sqlite();
    // Names as some have that nobody would get any more.
    let names = [
        ("Anna", "Anna"),
        ("bob", "anna"),
        ("cid", "ANNA"),
        ("dan", "\u{410}nna"),
        ("Ann\u{e1}", "Ann\u{e1}"),
    ];
    let numbers = names.map(|(name, _)| server.sign_up(name));
    server.rename(&names[1..4]);
    let mut watch = Watch::new(&server);
    for ((before, name), number) in names.iter().zip(&numbers) {
        let secret = myim_tests::person::password(before);
        let answer = try_sign_in(&server.api(), name, &secret, "laptop").ok(201);
        assert_eq!(answer["user"]["id"], *number, "{name}");
        let old = Person::login(server.peer(Flavor::Pc), name, &secret);
        assert_eq!(old.id.to_string(), *number, "{name}");
        watch.held(name);
    }
    // What is taken for such a name is taken.
    for name in ["aNNa", "Anna", "\u{430}nn\u{430}", "\u{391}NNA"] {
        let wanted = json!({"username": name, "password": "a secret of its own"});
        let answer = server.api().post("/users", &wanted);
        answer.refused(409, "username_taken");
        assert_eq!(register(server.chat, name, "x", "xxx"), 101, "{name}");
        watch.held(name);
    }
    // What Unicode holds for the same as another name, or nobody can see, is none.
    for name in [
        "Anna\u{301}",
        "\u{ff21}nna",
        "An\u{200b}na",
        " Anna",
        "@Anna",
    ] {
        let wanted = json!({"username": name, "password": "a secret of its own"});
        let answer = server.api().post("/users", &wanted);
        answer.refused(422, "invalid_username");
        watch.held(name);
    }
    // With somebody else's password a name that looks alike opens nothing.
    let answer = try_sign_in(
        &server.api(),
        "anna",
        &myim_tests::person::password("Anna"),
        "x",
    );
    answer.refused(401, "bad_credentials");
}

/// What would be a line of its own, if anybody let it.
const FORGED: &str = "\n{\"level\":\"ERROR\",\"fields\":{\"message\":\"forged\"}}\n";

#[test]
fn a_line_of_the_log_is_one_line() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--log", "debug")
        .chat_flag("--log-format", "json")
        .start();
    let (ann, bob) = server.acquainted();
    let escaped = myim_tests::api::escaped(FORGED);
    let name = format!("eve{FORGED}");
    let _ = try_sign_in(&server.api(), &name, FORGED, FORGED);
    let _ = server
        .api()
        .post("/users", &json!({"username": name, "password": FORGED}));
    let mut old = server.peer(Flavor::Pc);
    old.send(1002, 0, login_data(&name, FORGED, 1, 1));
    old.expect(1002);
    ann.say(&ann.direct(&bob.user_id), "a1", FORGED);
    for address in [server.chat, server.file, server.image] {
        http::get(address, &format!("/files/{escaped}?q={escaped}"));
        http::get(address, &format!("/{escaped}"));
    }
    for address in [server.file, server.image] {
        let mut transfer = Transfer::connect(address, Flavor::Pc);
        transfer.send_get(FORGED, 0);
        transfer.answer();
    }
    for header in [
        "user-agent",
        "traceparent",
        "x-request-id",
        "origin",
        "referer",
    ] {
        // What a header may not hold is refused before it is read; what it may is one line.
        let value = FORGED.replace('\n', "");
        server
            .api()
            .call_raw("GET", "/server", Vec::new(), &[(header, value.as_str())]);
    }
    let mut last = Person::login(
        server.peer(Flavor::Android),
        "ann",
        &myim_tests::person::password("ann"),
    );
    last.send_chat(last.id, message(FORGED));
    last.barrier();
    server.stop();
    let log = server.program().log();
    assert!(log.lines().count() > 10, "{log}");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("a line is one object: {error}: {line}"));
        assert_ne!(line["fields"]["message"], "forged", "{line}");
        assert_ne!(line["message"], "forged", "{line}");
    }
}

#[test]
fn who_calls_is_told_by_the_connection_and_nothing_else() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--login-failures-per-address-max", "5")
        .start();
    let ann: ApiPerson = server.newcomer("ann");
    let body = json!({"username": "ann", "password": "a guess of mine", "device": {"kind": "web"}});
    let mut statuses = Vec::new();
    for number in 0..12 {
        let address = format!("203.0.113.{number}");
        let forwarded = format!("for={address}");
        let headers = [
            ("x-forwarded-for", address.as_str()),
            ("x-real-ip", address.as_str()),
            ("forwarded", forwarded.as_str()),
            ("client-ip", address.as_str()),
            ("x-forwarded-host", "evil.example"),
        ];
        let answer =
            server
                .api()
                .call_raw("POST", "/sessions", body.to_string().into_bytes(), &headers);
        statuses.push(answer.status);
    }
    assert!(
        statuses[..4].iter().all(|status| *status == 401),
        "{statuses:?}"
    );
    assert!(
        statuses[6..].iter().all(|status| *status == 429),
        "{statuses:?}"
    );
    let told = ann.get("/sessions").ok(200).to_string();
    assert!(!told.contains("203.0.113."), "{told}");
    assert!(
        !server.program().log().contains("203.0.113."),
        "{}",
        server.program().story()
    );
}

#[test]
fn a_token_in_an_address_opens_nothing_and_is_not_logged() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--log", "debug")
        .start();
    let ann = server.newcomer("ann");
    let token = &ann.token;
    let secret = token.rsplit('.').next().unwrap();
    for name in ["token", "access_token", "authorization", "ticket"] {
        let path = format!("/me?{name}={token}");
        server.api().get(&path).refused(401, "unauthenticated");
    }
    for address in [server.file, server.image] {
        let path = format!("/files/{}?token={token}", "0".repeat(64));
        assert!([401, 404].contains(&http::get(address, &path).status));
    }
    let mut request = myim_tests::socket::handshake(server.chat);
    let uri = format!("ws://{}/api/v1/ws?token={token}", server.chat);
    *request.uri_mut() = uri.parse().unwrap();
    if let Ok(mut socket) = myim_tests::socket::Socket::connect_with(server.chat, request) {
        socket.request("hello", json!({}));
        assert!(matches!(
            socket.ends(),
            myim_tests::socket::Silence::Closed(4001 | 4003, _)
        ));
    }
    server.stop();
    let log = server.program().log();
    assert!(!log.contains(secret), "the token stands in the log");
}
