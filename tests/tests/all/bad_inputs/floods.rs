//! More than anybody needs: requests without an end, and clients that never read.

use std::io::Write;
use std::time::Instant;

use bytes::Bytes;
use myim_tests::http;
use myim_tests::peer::HEARTBEAT;
use myim_tests::person::{Person, befriend, message};
use myim_tests::process::PROCESS_PATIENCE;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::socket::Silence;
use myim_tests::wire::{Fields, Flavor, plain};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::watch::Watch;

/// What the server counts of this, by its admin port; nothing is 0.
fn counted(server: &Server, name: &str) -> f64 {
    let metrics = http::get(server.admin[0], "/metrics").body;
    let found = metrics.lines().find_map(|line| {
        line.strip_prefix(name)?
            .strip_prefix(' ')?
            .trim()
            .parse()
            .ok()
    });
    found.unwrap_or_default()
}

/// Waits until the server has counted one of this.
fn until_counted(server: &Server, name: &str) {
    let deadline = Instant::now() + PROCESS_PATIENCE;
    while counted(server, name) == 0.0 {
        assert!(Instant::now() < deadline, "{name} is not counted");
    }
}

const LIMITED: &str = "myim_rate_limited_total{scope=\"account\"}";

fn heartbeats(count: i32) -> Vec<u8> {
    (0..count)
        .flat_map(|number| plain(&Fields::chat(HEARTBEAT, number, "").body()))
        .collect()
}

/// Waits for the answers to heartbeats of these numbers, in order.
fn answered(person: &mut Person, count: i32) {
    for number in 0..count {
        assert_eq!(person.expect(HEARTBEAT).seq, number);
    }
}

#[test]
fn a_thousand_frames_at_once_are_answered_in_order() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let mut ann = server.join("ann", Flavor::Pc);
    ann.send_raw(&heartbeats(1_000));
    answered(&mut ann, 1_000);
    watch.held("21 a thousand frames");
    assert_eq!(counted(&server, LIMITED), 0.0, "that much may come at once");
}

#[test]
fn what_an_old_client_asks_at_its_start_is_answered_at_once() {
    let server = Server::sqlite();
    let mut ann = server.join("ann", Flavor::Pc);
    let groups: Vec<_> = (0..20)
        .map(|number| ann.create_group(&format!("g{number}")))
        .collect();
    ann.forget();
    let mut again = server.login("ann", Flavor::Android);
    // The contact list and the members of every group, ten times over.
    let mut asked = Vec::new();
    for _ in 0..10 {
        asked.push((1003, again.request(1003, "")));
        for group in &groups {
            let data = json!({"groupid": group}).to_string();
            asked.push((1010, again.request(1010, data)));
        }
    }
    for (cmd, seq) in asked {
        again.reply(cmd, seq);
    }
    assert_eq!(counted(&server, LIMITED), 0.0);
}

#[test]
fn an_old_client_that_asks_too_much_waits_and_nobody_else_does() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--rate-reads-per-s", "20")
        .start();
    let mut watch = Watch::new(&server);
    let mut flooding = server.join("flooding", Flavor::Pc);
    // He may be held back before all of it is written.
    flooding.stream().set_nonblocking(true).unwrap();
    let written = flooding.stream().write(&heartbeats(100_000));
    assert!(written.unwrap() > 0);
    flooding.stream().set_nonblocking(false).unwrap();
    answered(&mut flooding, 45);
    watch.held("22 heartbeats without an end");
    assert!(counted(&server, LIMITED) > 0.0);
    // A request of another kind stands behind them: it is neither lost nor refused.
    let mut patient = server.join("patient", Flavor::Pc);
    patient.send_raw(&heartbeats(60));
    patient.send(
        1009,
        7,
        json!({"groupname": "behind", "type": 0}).to_string(),
    );
    answered(&mut patient, 60);
    assert_eq!(patient.expect(1009).seq, 7);
    patient.forget();
    // He hears what is said to him meanwhile, and may leave.
    befriend(&mut server.join("bob", Flavor::Pc), &mut patient);
    drop(flooding);
    watch.held("22 he is gone");
}

#[test]
fn messages_that_come_too_fast_are_all_delivered_in_order() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--rate-sends-per-s", "20")
        .start();
    let (mut ann, mut bob) = server.friends();
    let numbers = 0..60;
    let mut bytes = Vec::new();
    for number in numbers.clone() {
        let fields = Fields::chat(1100, number, message(&number.to_string())).int(bob.id);
        bytes.extend(plain(&fields.body()));
    }
    ann.send_raw(&bytes);
    for number in numbers {
        assert_eq!(bob.hear().text(), number.to_string());
    }
    assert!(counted(&server, LIMITED) > 0.0);
    // Nor is somebody told thirty times what names him thirty times.
    let many = vec![json!(bob.id); 30];
    ann.say_to_all(&many, "to many");
    ann.say(bob.id, "last");
    assert_eq!(bob.hear().text(), "to many");
    assert_eq!(bob.hear().text(), "last");
}

#[test]
fn pings_without_an_end_are_cut() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let mut laptop = server.newcomer("ann").connect();
    for _ in 0..100_000 {
        if !laptop.try_send(Message::Ping(Bytes::from_static(b"x"))) {
            break;
        }
    }
    match laptop.ends() {
        Silence::Closed(code, _) => assert_eq!(code, 4008),
        other => assert_eq!(other, Silence::Cut),
    }
    watch.held("57 pings");
    until_counted(
        &server,
        "myim_protocol_errors_total{transport=\"websocket\",reason=\"rate_limited\"}",
    );
}

#[test]
fn a_websocket_that_never_reads_is_cut_and_misses_nothing() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--write-stall-s", "1")
        .start();
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    let silent = bob.connect();
    let mut talking = ann.connect();
    // More than the buffers of both systems hold.
    let long = "x".repeat(60_000);
    let name = "myim_slow_consumer_disconnects_total";
    let deadline = Instant::now() + PROCESS_PATIENCE;
    let mut said = 0;
    while counted(&server, name) == 0.0 {
        assert!(
            Instant::now() < deadline,
            "{said} messages and still connected"
        );
        talking.say(&direct, &format!("{said} {long}"));
        said += 1;
    }
    drop(silent);
    // Nothing was acknowledged: all of it comes again, on the next connection.
    let mut back = bob.connect();
    for number in 0..said {
        let message = back.message();
        let text = myim_tests::api_person::said(&message);
        assert!(text.starts_with(&format!("{number} ")), "{number}");
    }
}
