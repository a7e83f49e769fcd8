//! WebSockets that nobody should open or use like this: each has its code.

use std::io::Write;
use std::net::Shutdown;
use std::time::Instant;

use myim_tests::api_person::{ended, segments};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::socket::{Silence, Socket, handshake};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::{Village, server_with};
use crate::bad_inputs::watch::Watch;

/// The token was missing, forged or expired.
const UNAUTHENTICATED: u16 = 4001;
/// The session was signed out.
const REVOKED: u16 = 4002;
/// The same device connected again.
const REPLACED: u16 = 4009;
/// What came is not the protocol.
const PROTOCOL_ERROR: u16 = 4003;
/// No hello in time.
const TOO_SLOW: u16 = 4004;
/// Too much was asked for.
const RATE_LIMITED: u16 = 4008;

fn refused_handshake(server: &Server, change: impl FnOnce(&mut Request)) -> u16 {
    let mut request = handshake(server.chat);
    change(&mut request);
    match Socket::connect_with(server.chat, request) {
        Ok(_) => 101,
        Err(status) => status,
    }
}

#[test]
fn handshakes_that_are_none() {
    let server = server_with("--allowed-origins", "https://chat.example");
    let mut watch = Watch::new(&server);
    let with = |name: &'static str, value: &'static str| {
        refused_handshake(&server, |request| {
            request.headers_mut().insert(name, value.parse().unwrap());
        })
    };
    assert_eq!(with("origin", "https://evil.example"), 403);
    assert_eq!(with("origin", "null"), 403);
    assert_eq!(with("origin", "https://chat.example"), 101);
    let old = with("sec-websocket-version", "12");
    assert!(old == 426 || old == 400, "another version: {old}");
    let answer = server.api().get("/ws");
    assert!((400..500).contains(&answer.status), "{answer}");
    answer.problem();
    watch.held("handshakes of foreign pages and of another version");
}

#[test]
fn no_hello_in_time() {
    let server = Server::sqlite();
    let began = Instant::now();
    let mut silent = Socket::connect(server.chat);
    silent.closed_with(TOO_SLOW);
    let waited = began.elapsed().as_secs();
    assert!((8..16).contains(&waited), "10 seconds, not {waited}");
}

#[test]
fn a_first_word_that_is_no_hello() {
    let server = Server::sqlite();
    let ann = server.newcomer("ann");
    let mut watch = Watch::new(&server);
    for (first, code) in [
        (
            json!({"id": 1, "op": "hello", "token": "forged"}),
            UNAUTHENTICATED,
        ),
        (
            json!({"id": 1, "op": "hello", "token": ann.token[1..]}),
            UNAUTHENTICATED,
        ),
        (
            json!({"id": 1, "op": "hello", "token": ""}),
            UNAUTHENTICATED,
        ),
        (json!({"id": 1, "op": "hello"}), PROTOCOL_ERROR),
        (json!({"id": 1, "op": "hello", "token": 7}), PROTOCOL_ERROR),
        (
            json!({"id": 1, "op": "ack", "conversation": "1", "seq": 1}),
            PROTOCOL_ERROR,
        ),
        (json!({"id": 1}), PROTOCOL_ERROR),
        (json!([1]), PROTOCOL_ERROR),
    ] {
        let mut socket = Socket::connect(server.chat);
        socket.send_text(first.to_string());
        let code_said = match socket.ends() {
            Silence::Closed(code, _) => code,
            other => panic!("{first}: {other:?}"),
        };
        let may_be = code == PROTOCOL_ERROR && code_said == UNAUTHENTICATED;
        assert!(code_said == code || may_be, "{first}: {code_said}");
        watch.held(&first.to_string());
    }
}

#[test]
fn a_second_hello_ends_the_connection() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let mut laptop = ann.connect();
    laptop.request("hello", json!({"token": bob.token}));
    laptop.closed_with(PROTOCOL_ERROR);
    // The same device once more takes the place of the one before.
    let mut first = ann.connect();
    let mut second = ann.connect();
    first.closed_with(REPLACED);
    second.ping();
}

#[test]
fn frames_that_are_not_the_protocol() {
    let server = Server::sqlite();
    let ann = server.newcomer("ann");
    let mut watch = Watch::new(&server);
    let text = |text: &str| Message::text(text.to_owned());
    for (what, code) in [
        (Message::binary(vec![1, 2, 3]), PROTOCOL_ERROR),
        (text("no json"), PROTOCOL_ERROR),
        (text("7"), PROTOCOL_ERROR),
        (text(""), PROTOCOL_ERROR),
        (text(&"[".repeat(20_000)), PROTOCOL_ERROR),
    ] {
        let mut laptop = ann.connect();
        laptop.send(what.clone());
        let said = match laptop.ends() {
            Silence::Closed(code, _) => code,
            other => panic!("{what:?}: {other:?}"),
        };
        assert_eq!(said, code, "{what:?}");
        watch.held("a frame that is not the protocol");
    }
    // Larger than any request: 1009 is the standard's own word for it.
    let mut laptop = ann.connect();
    laptop.try_send(text(&"x".repeat(2 << 20)));
    match laptop.ends() {
        Silence::Closed(code, _) => assert!(code == 1009 || code == PROTOCOL_ERROR, "{code}"),
        Silence::Cut => {}
        Silence::TimedOut => panic!("it is still open"),
    }
    watch.held("a large frame");
}

#[test]
fn requests_that_are_understood_and_wrong_leave_the_socket_open() {
    let server = Server::sqlite();
    let Village {
        ann,
        eve,
        direct,
        choir,
        ..
    } = Village::new(&server);
    let mut watch = Watch::new(&server);
    let mut socket = eve.connect();
    let send = |to: Value, what: Value| json!({"to": to, "client_id": "w", "segments": what});
    let too_long = segments(&"x".repeat(64 * 1024));
    let many: Vec<_> = (0..101).map(|_| json!({"type": "nudge"})).collect();
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let deep: Value = serde_json::from_str(&deep).unwrap();
    let unknown = json!({"conversation": "1152921504606846999"});
    for (op, fields, codes) in [
        ("no.such.op", json!({}), &["unknown_op"][..]),
        ("message.send", json!({}), &["invalid_body"]),
        (
            "message.send",
            json!({"to": {"user": 7}, "client_id": "w", "segments": []}),
            &["invalid_body"],
        ),
        (
            "message.send",
            send(json!({}), segments("x")),
            &["invalid_body"],
        ),
        (
            "message.send",
            send(json!({"user": "999"}), segments("x")),
            &["no_such_user", "not_friends"],
        ),
        (
            "message.send",
            send(json!({"user": ann.user_id}), segments("x")),
            &["not_friends"],
        ),
        (
            "message.send",
            send(json!({"group": "268435999"}), segments("x")),
            &["no_such_group", "not_a_member"],
        ),
        (
            "message.send",
            send(json!({"conversation": direct}), segments("x")),
            &["no_such_conversation"],
        ),
        (
            "message.send",
            send(json!({"conversation": choir}), segments("x")),
            &["not_a_member"],
        ),
        (
            "message.send",
            send(unknown, segments("x")),
            &["no_such_conversation"],
        ),
        (
            "message.send",
            send(json!({"user": ann.user_id}), too_long),
            &["message_too_large"],
        ),
        (
            "message.send",
            send(json!({"user": ann.user_id}), json!(many)),
            &["invalid_value"],
        ),
        (
            "message.send",
            send(
                json!({"user": ann.user_id}),
                json!([{"type": "custom", "data": deep}]),
            ),
            &["invalid_json"],
        ),
        (
            "ack",
            json!({"conversation": direct, "seq": -1}),
            &["invalid_body"],
        ),
        (
            "ack",
            json!({"conversation": direct, "seq": "1"}),
            &["invalid_body"],
        ),
        ("ack", json!({"conversation": direct}), &["invalid_body"]),
        (
            "ack",
            json!({"conversation": direct, "seq": 1}),
            &["no_such_conversation"],
        ),
        (
            "ack",
            json!({"conversation": choir, "seq": 1}),
            &["not_a_member"],
        ),
        (
            "read",
            json!({"conversation": direct, "seq": 1}),
            &["no_such_conversation"],
        ),
        (
            "typing",
            json!({"conversation": direct}),
            &["no_such_conversation"],
        ),
        (
            "presence.set",
            json!({"status": "walking"}),
            &["invalid_body"],
        ),
    ] {
        let error = socket.ask(op, fields.clone()).expect_err(op);
        let code = error["code"].as_str().unwrap_or_default();
        assert!(codes.contains(&code), "{op} {fields:.200}: {error}");
        assert!(
            !error["message"].as_str().unwrap_or_default().is_empty(),
            "{error}"
        );
        watch.held(&format!("{op} {fields:.200}"));
    }
    socket.ok("ping", json!({}));
}

#[test]
fn a_message_in_several_frames_is_one() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let mut laptop = ann.connect();
    let text = json!({"id": 77, "op": "message.send", "to": {"user": bob.user_id},
        "client_id": "f-1", "segments": segments("in pieces 😀")})
    .to_string();
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(7).collect();
    for (at, piece) in pieces.iter().enumerate() {
        let code = if at == 0 { Data::Text } else { Data::Continue };
        let last = at + 1 == pieces.len();
        let frame = Frame::message(piece.to_vec(), OpCode::Data(code), last);
        laptop.send(Message::Frame(frame));
        if at == 1 {
            // A ping may stand between the pieces.
            laptop.ping();
        }
    }
    assert_eq!(laptop.answer(77).unwrap()["seq"], 1);
}

#[test]
fn a_socket_closed_by_half_is_closed() {
    let server = Server::sqlite();
    let Village {
        ann, bob, direct, ..
    } = Village::new(&server);
    let mut laptop = ann.connect();
    laptop.stream().shutdown(Shutdown::Write).unwrap();
    assert!(ended(&laptop.ends()));
    // Half a frame and then nothing.
    let mut phone = bob.connect();
    let mut stream = phone.stream();
    stream.write_all(&[0x81, 0xfe, 0x10]).unwrap();
    phone.stream().shutdown(Shutdown::Write).unwrap();
    assert!(ended(&phone.ends()));
    bob.say(&direct, "b1", "everybody is served");
}

#[test]
fn revoked_while_connected_and_before() {
    let server = Server::sqlite();
    let ann = server.newcomer("ann");
    let mut laptop = ann.connect();
    let phone = server.sign_in("ann", "phone");
    let gone = phone.delete(&format!("/sessions/{}", ann.session_id));
    assert!(gone.status < 300, "{gone}");
    let told = laptop.closed_with(REVOKED);
    assert!(told.is_empty() || told.contains("revoked"), "{told}");
    let mut again = Socket::connect(server.chat);
    again.send_text(json!({"id": 1, "op": "hello", "token": ann.token}).to_string());
    again.closed_with(UNAUTHENTICATED);
}

#[test]
fn whoever_sends_too_much_is_told_to_wait() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--rate-sends-per-s", "2")
        .start();
    let (ann, bob) = server.acquainted();
    let mut laptop = ann.connect();
    let to = json!({"user": bob.user_id});
    let mut refused = None;
    for number in 0..20 {
        if let Err(error) = laptop.try_send_to(&to, &format!("a{number}"), &segments("spam")) {
            refused = Some(error);
            break;
        }
    }
    let error = refused.expect("twenty are too many");
    assert_eq!(error["code"], "rate_limited", "{error}");
    assert!(error["retry_after"].as_u64() > Some(0), "{error}");
    // Whoever goes on regardless loses the connection.
    for number in 0..100_000 {
        let more = json!({"op": "message.send", "to": to, "client_id": format!("b{number}"),
            "segments": segments("spam")});
        if !laptop.try_send(Message::text(more.to_string())) {
            break;
        }
    }
    match laptop.ends() {
        Silence::Closed(code, _) => assert_eq!(code, RATE_LIMITED),
        other => assert_eq!(other, Silence::Cut),
    }
}

/// As many as two seconds allow of what no other rate counts, and one more.
#[test]
fn a_flood_of_requests_that_do_nothing_is_read_slowly() {
    const A_SECOND: usize = 2_000;
    let server = Server::sqlite();
    let (ann, bob) = (server.newcomer("ann"), server.newcomer("bob"));
    let mut flooding = ann.connect();
    let began = Instant::now();
    for _ in 0..2 * A_SECOND {
        flooding.tell("typing", json!({"conversation": "1"}));
    }
    flooding.refused("dance", json!({}), "unknown_op");
    assert!(began.elapsed().as_secs() >= 1, "{:?}", began.elapsed());
    bob.connect().ok("ping", json!({}));
}

#[test]
fn the_server_asks_whether_somebody_is_there() {
    let server = server_with("--heartbeat-s", "1");
    let ann = server.newcomer("ann");
    let mut there = ann.connect();
    assert_eq!(there.hello["heartbeat"], 1);
    // This client's pongs go out when it reads.
    let began = Instant::now();
    while began.elapsed().as_secs() < 4 {
        there.ping();
        let _ = there.try_event(std::time::Duration::from_millis(200));
    }
    let gone = server.sign_in("ann", "phone").connect();
    // This one reads nothing, so it answers nothing.
    let socket = gone.stream().try_clone().unwrap();
    socket
        .set_read_timeout(Some(myim_tests::peer::PATIENCE))
        .unwrap();
    let mut bytes = Vec::new();
    let end = std::io::Read::read_to_end(&mut &socket, &mut bytes);
    assert!(end.is_ok() || end.unwrap_err().kind() != std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_server_that_stops_says_when_to_come_back() {
    let mut server = Server::sqlite();
    let ann = server.newcomer("ann");
    let mut laptop = ann.connect();
    let other = server.sign_in("ann", "phone");
    let mut phone = other.connect();
    server.stop();
    for device in [&mut laptop, &mut phone] {
        let event = device.find_event("server.draining");
        assert!(event["reconnect_after_ms"].as_u64().is_some(), "{event}");
        device.closed_with(1012);
    }
    server.again();
    ann.connect();
}
