//! Every operation of a WebSocket, as every kind of caller. The table is `sockets.txt`; an operation
//! of the server's source that it does not name fails the test.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::socket::{Silence, Socket};
use serde_json::{Value, json};

use super::api::{ROLES, World, body, world};

/// Where operations are told apart.
const SOURCE: &str = include_str!("../../../../chat-server/src/protocol/web/ops.rs");

/// The operations that the server knows: the words of its one `match`.
fn known() -> BTreeSet<&'static str> {
    let (_, arms) = SOURCE
        .split_once("match envelope.op.as_str() {")
        .expect("operations are told apart there");
    let (arms, _) = arms
        .split_once("\n        _ =>")
        .expect("and others refused");
    let arms = arms
        .lines()
        .filter_map(|line| line.strip_prefix("        \""));
    let arms = arms.filter_map(|line| line.split_once("\" =>"));
    arms.map(|(name, _)| name).collect()
}

fn hello(server: &Server, token: &str) -> Socket {
    let mut socket = Socket::connect(server.chat);
    socket.hello(token);
    socket
}

/// What comes back: `ok`, with the number of items where there is a list, a code, or how the
/// connection ends.
fn outcome(socket: &mut Socket, op: &str, fields: Value) -> String {
    if op == "hello" {
        socket.request(op, fields);
        return ended(&socket.ends());
    }
    match socket.ask(op, fields) {
        Ok(ok) => match ok["items"].as_array() {
            Some(items) => format!("ok*{}", items.len()),
            None => "ok".to_owned(),
        },
        Err(error) => error["code"].as_str().expect("a code").to_owned(),
    }
}

fn ended(silence: &Silence) -> String {
    match silence {
        Silence::Closed(code, _) => format!("closed-{code}"),
        other => format!("{other:?}"),
    }
}

/// Who has no token that is worth anything is not heard, whatever he asks.
fn is_not_heard(server: &Server, world: &World, op: &str, fields: &Value) -> String {
    let mut wrong = String::new();
    for (who, caller) in &world.outsiders {
        let mut socket = Socket::connect(server.chat);
        let token = caller.api.token.clone().unwrap_or_default();
        socket.request("hello", json!({"token": token}));
        let end = ended(&socket.ends());
        if end != "closed-4001" {
            writeln!(wrong, "hello of {who}: {end}").unwrap();
        }
        if op == "hello" {
            continue;
        }
        let mut socket = Socket::connect(server.chat);
        socket.request(op, fields.clone());
        let end = ended(&socket.ends());
        if end != "closed-4003" {
            writeln!(wrong, "{op} of {who} without hello: {end}").unwrap();
        }
    }
    wrong
}

#[test]
fn every_operation_answers_every_caller_as_the_table_says() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--webhook-allowed-networks", "127.0.0.1/32")
        .chat_flag("--login-failures-max", "1000")
        .chat_flag("--login-failures-per-address-max", "1000")
        .start();
    let world = world(&server);
    let mut without = known();
    let mut wrong = String::new();
    for line in include_str!("sockets.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        let parts: Vec<_> = line.split(" | ").map(str::trim).collect();
        let [op, template, wanted] = parts[..] else {
            panic!("three columns: {line}");
        };
        without.remove(op);
        let fields = |role| body(&world, role, template).unwrap_or_else(|| json!({}));
        wrong.push_str(&is_not_heard(&server, &world, op, &fields("nobody")));
        let got = ROLES.map(|role| {
            let token = world.callers[role].token.clone();
            let mut socket = hello(&server, &token);
            let told = outcome(&mut socket, op, fields(role));
            if op != "hello" {
                socket.close();
            }
            told
        });
        let got = got.join(" ");
        if got != wanted {
            writeln!(wrong, "{op} | {template} | {got}").unwrap();
        }
    }
    assert!(without.is_empty(), "operations without a row: {without:?}");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_source_is_read_as_it_is_meant() {
    let known = known();
    for op in ["hello", "message.send", "ack", "ping", "conversation.close"] {
        assert!(known.contains(op), "{known:?}");
    }
}
