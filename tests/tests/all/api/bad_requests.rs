//! Requests that nobody should send: each is answered by a problem document with its code.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use myim_tests::api::Api;
use myim_tests::api_person::segments;
use myim_tests::peer::PATIENCE;
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::{Value, json};

use super::{Row, Village, refused, row, server_with};
use crate::bad_inputs::watch::Watch;

/// Each row is refused as it says, and the server holds.
fn held(watch: &mut Watch<'_>, api: &Api, rows: &[Row<'_>]) {
    for row in rows {
        refused(api, std::slice::from_ref(row));
        watch.held(&row.path);
    }
}

fn body(what: &Value) -> Value {
    json!({"client_id": "w", "segments": what})
}

#[test]
fn places_and_limits_that_are_none() {
    let server = Server::sqlite();
    let village = Village::new(&server);
    let mut watch = Watch::new(&server);
    let (bob, direct) = (&village.bob, &village.direct);
    let path = format!("/conversations/{direct}/messages");
    let read = format!("/conversations/{direct}/read");
    held(
        &mut watch,
        &bob.api,
        &[
            row(
                "GET",
                format!("{path}?after=-1"),
                None,
                (400, "invalid_parameter"),
            ),
            row(
                "GET",
                format!("{path}?after=x"),
                None,
                (400, "invalid_parameter"),
            ),
            row(
                "GET",
                format!("{path}?after=1.5"),
                None,
                (400, "invalid_parameter"),
            ),
            row(
                "GET",
                format!("{path}?after=99999999999999999999"),
                None,
                (400, "invalid_parameter"),
            ),
            row(
                "GET",
                format!("{path}?limit=x"),
                None,
                (400, "invalid_parameter"),
            ),
            row(
                "GET",
                format!("{path}?after=1&before=2"),
                None,
                (400, "invalid_parameter"),
            ),
            row(
                "POST",
                read.as_str(),
                json!({"seq": -1}),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                read.as_str(),
                json!({"seq": "1"}),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                read.as_str(),
                json!({"seq": 1.5}),
                (400, "invalid_body"),
            ),
            row("POST", read.as_str(), json!({}), (400, "invalid_body")),
            row("GET", "/sync?wait=x", None, (400, "invalid_parameter")),
            row("GET", "/sync?since=nonsense", None, (400, "bad_cursor")),
        ],
    );
    village.ann.say(direct, "a1", "hello");
    // A page has at least one item and at most as many as the server likes.
    for list in [path.as_str(), "/conversations", "/search", "/users"] {
        let most = if list == "/search" { 100 } else { 500 };
        for limit in ["0", "-5", "1000000000", "99999999999999999999"] {
            let answer = bob.get(&format!("{list}?q=hello&query=ann&limit={limit}"));
            answer.refused(400, "invalid_parameter");
        }
        let asked = |limit: u32| bob.get(&format!("{list}?q=hello&query=ann&limit={limit}"));
        asked(1).ok(200);
        asked(most).ok(200);
        asked(most + 1).refused(400, "invalid_parameter");
        watch.held(list);
    }
}

#[test]
fn conversations_that_are_foreign_or_none() {
    let server = Server::sqlite();
    let Village {
        eve, direct, choir, ..
    } = Village::new(&server);
    let mut watch = Watch::new(&server);
    let say = body(&segments("x"));
    let to = |id: &str| format!("/conversations/{id}/messages");
    held(
        &mut watch,
        &eve.api,
        &[
            row(
                "POST",
                to(&direct),
                say.clone(),
                (404, "no_such_conversation"),
            ),
            row("GET", to(&direct), None, (404, "no_such_conversation")),
            row("POST", to(&choir), say.clone(), (403, "not_a_member")),
            row("GET", to(&choir), None, (403, "not_a_member")),
            row(
                "POST",
                format!("/conversations/{choir}/read"),
                json!({"seq": 1}),
                (403, "not_a_member"),
            ),
            row("GET", to("1"), None, (404, "not_found")),
            row("GET", to("-1"), None, (404, "not_found")),
            row("GET", to("99999999999999999999"), None, (404, "not_found")),
            row("GET", to("x"), None, (404, "not_found")),
            row("POST", to("07"), say, (404, "not_found")),
        ],
    );
    // Somebody whom one may write to only as a friend.
    let with_ann = eve.direct("1");
    eve.try_say(&with_ann, "e1", "hello")
        .refused(403, "not_friends");
}

#[test]
fn client_ids_that_are_none() {
    let server = Server::sqlite();
    let Village { ann, direct, .. } = Village::new(&server);
    let mut watch = Watch::new(&server);
    let path = format!("/conversations/{direct}/messages");
    let with = |id: Value| json!({"client_id": id, "segments": segments("x")});
    let says = |id: Value| ann.post(&path, &with(id));
    for wrong in [json!(7), json!(null), json!([])] {
        says(wrong.clone()).refused(400, "invalid_body");
        watch.held(&wrong.to_string());
    }
    for wrong in [String::new(), "x".repeat(65), "a\u{0}b".to_owned()] {
        let answer = says(json!(wrong));
        let code = answer.problem()["code"].clone();
        assert!(answer.status == 400 || answer.status == 422, "{answer}");
        assert!(
            code == "invalid_body" || code == "invalid_value",
            "{answer}"
        );
        watch.held("a client id of a wrong length or letter");
    }
    ann.post(&path, &json!({"segments": segments("x")}))
        .refused(400, "invalid_body");
    assert_eq!(says(json!("x".repeat(64))).status, 201);
}

#[test]
fn what_is_too_large_or_too_deep() {
    let server = Server::sqlite();
    let Village { ann, direct, .. } = Village::new(&server);
    let mut watch = Watch::new(&server);
    let path = format!("/conversations/{direct}/messages");
    let say = |what: &Value| ann.post(&path, &json!({"client_id": "w", "segments": what}));
    say(&segments(&"x".repeat(64 * 1024))).refused(413, "message_too_large");
    watch.held("a long message");
    let many: Vec<_> = (0..101).map(|_| json!({"type": "nudge"})).collect();
    say(&json!(many)).refused(422, "invalid_value");
    watch.held("many segments");
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let nested = |depth: usize| {
        // Object, segments, segment, data: four levels are there already.
        let text = format!(
            r#"{{"client_id":"d{depth}","segments":[{{"type":"custom","data":{}}}]}}"#,
            deep(depth - 3)
        );
        ann.call_raw("POST", &path, text.into_bytes(), &[])
    };
    assert_eq!(nested(32).status, 201);
    nested(33).refused(400, "invalid_json");
    nested(20_000).refused(400, "invalid_json");
    watch.held("deep JSON");
    let mib = 1024 * 1024;
    let raw = |bytes: Vec<u8>| ann.call_raw("POST", &path, bytes, &[]);
    raw(vec![b' '; mib]).refused(400, "invalid_json");
    raw(vec![b' '; mib + 1]).refused(413, "payload_too_large");
    watch.held("large bodies");
}

#[test]
fn bodies_that_are_no_json() {
    let server = Server::sqlite();
    let Village { ann, direct, .. } = Village::new(&server);
    let mut watch = Watch::new(&server);
    let path = format!("/conversations/{direct}/messages");
    let post = |bytes: &[u8], headers: &[(&str, &str)]| {
        ann.call_raw("POST", &path, bytes.to_vec(), headers)
    };
    for bytes in [
        &b"{"[..],
        b"nul",
        b"{} {}",
        b"\xff\xfe",
        b"\"\\ud800\"",
        b"{\"a\":1,\"a\":2}",
        b"NaN",
    ] {
        post(bytes, &[]).refused(400, "invalid_json");
        watch.held(&String::from_utf8_lossy(bytes));
    }
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "x",
    ] {
        post(b"{}", &[("content-type", kind)]).refused(415, "unsupported_media_type");
        watch.held(kind);
    }
    assert_eq!(
        post(
            b"{}",
            &[("content-type", "application/json; charset=utf-8")]
        )
        .status,
        400
    );
    ann.call("POST", "/me", None)
        .refused(405, "method_not_allowed");
    let answer = ann.call("BREW", "/me", None);
    assert!(!answer.header("allow").is_empty(), "{answer}");
    answer.refused(405, "method_not_allowed");
    ann.get("/nothing/here").refused(404, "not_found");
    ann.get("").problem();
}

#[test]
fn pages_of_other_sites_may_not_ask() {
    let server = server_with("--allowed-origins", "https://chat.example");
    let ann = server.newcomer("ann");
    let mut watch = Watch::new(&server);
    let from = |origin: &str| ann.call_raw("GET", "/me", Vec::new(), &[("origin", origin)]);
    for foreign in [
        "https://evil.example",
        "http://chat.example",
        "null",
        "https://chat.example.evil.example",
    ] {
        let answer = from(foreign);
        answer.refused(403, "foreign_origin");
        assert_eq!(answer.header("access-control-allow-origin"), "");
        watch.held(foreign);
    }
    let answer = from("https://chat.example");
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://chat.example"
    );
    assert_eq!(
        from(&format!("http://{}", server.chat)).status,
        200,
        "its own pages"
    );
    assert_eq!(answer.header("set-cookie"), "", "no cookies");
    let cookie = [("cookie", format!("token={}", ann.token))];
    let cookie: Vec<_> = cookie
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    server
        .api()
        .call_raw("GET", "/me", Vec::new(), &cookie)
        .refused(401, "unauthenticated");
}

#[test]
fn whoever_asks_too_much_has_to_wait() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--rate-reads-per-s", "2")
        .start();
    let ann = server.newcomer("ann");
    let answers: Vec<_> = (0..20).map(|_| ann.get("/me")).collect();
    let last = answers.iter().find(|answer| answer.status != 200);
    let problem = last
        .expect("twenty are too many")
        .refused(429, "rate_limited");
    assert!(problem["retry_after"].as_u64() > Some(0));
}

/// Writes these bytes, says that no more come if told to, and reads until the server closes.
fn raw(server: &Server, bytes: &[u8], half_close: bool) -> String {
    let mut stream = TcpStream::connect(server.chat).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may refuse before it has read everything.
    let _ = stream.write_all(bytes);
    if half_close {
        // An error means that the server has closed already.
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    // A reset is an end, too.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn whoever_has_said_everything_may_close_his_half() {
    let server = Server::sqlite();
    let ann = server.newcomer("ann");
    let request = format!(
        "GET /api/v1/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        ann.token
    );
    let answer = raw(&server, request.as_bytes(), true);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
}

#[test]
fn requests_that_are_no_http() {
    let server = Server::sqlite();
    let ann = server.newcomer("ann");
    let mut watch = Watch::new(&server);
    let close = "connection: close\r\n\r\n";
    let head = format!(
        "GET /api/v1/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n",
        ann.token
    );
    let good = raw(&server, format!("{head}{close}").as_bytes(), false);
    assert!(good.starts_with("HTTP/1.1 200"), "{good}");
    let many = format!("{head}{}\r\n", "x-many: y\r\n".repeat(500));
    let long = format!("{head}x-long: {}\r\n\r\n", "y".repeat(1 << 20));
    for bytes in [
        many,
        long,
        "GET /api/v1/me HTTP/9.9\r\n\r\n".to_owned(),
        "GET  HTTP/1.1\r\n\r\n".to_owned(),
        "POST /api/v1/users HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_owned(),
        "POST /api/v1/users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{".to_owned(),
    ] {
        let answer = raw(&server, bytes.as_bytes(), true);
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(refused, "{bytes:.80}: {answer:.200}");
        watch.held(&format!("{bytes:.80}"));
    }
    let smuggled =
        format!("{head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    // Two lengths: RFC 9112 lets a server refuse, or go by the chunks alone and close then. What
    // stands behind is never a second request.
    let answer = raw(&server, format!("{smuggled}{head}\r\n").as_bytes(), false);
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    watch.held("two lengths");
}
