//! Programs that others wrote speak to our server: WebSocket libraries, curl, and Schemathesis,
//! which makes requests from the published description.
//!
//! scripts/test installs them under `target/foreign`; without them these tests fail.

use std::fs;
use std::process::Command;
use std::time::Duration;

use myim_tests::api_person::{ApiPerson, segments, text};
use myim_tests::foreign::{installed, program, root, run};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::socket::{Side, Socket};
use serde_json::{Value, json};

/// How long a program of a few exchanges may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long Schemathesis may take on a busy machine.
const SCHEMATHESIS_PATIENCE: Duration = Duration::from_secs(460);

#[test]
fn a_python_library_speaks_to_us() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let mut command = Command::new(installed("venv/bin/python"));
    command.arg(program("socket_check.py"));
    run(
        command.args([&server.chat.to_string(), &ann.token, &bob.user_id]),
        PATIENCE,
    );
}

#[test]
fn a_node_library_speaks_to_us() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let mut command = Command::new("node");
    command
        .arg(program("socket_check.js"))
        .arg(installed("node_modules"));
    run(
        command.args([&server.chat.to_string(), &ann.token, &bob.user_id]),
        PATIENCE,
    );
}

/// Blocks of shell in a page that stand under this heading.
fn shell_under(page: &str, heading: &str) -> String {
    let section = page.split(heading).nth(1).expect("the heading is there");
    let block = section.split("```bash\n").nth(1).expect("a block of shell");
    block.split("```").next().unwrap_or_default().to_owned()
}

#[test]
fn the_tour_in_the_documents_works() {
    let server = Server::sqlite();
    let page = fs::read_to_string(root().join("docs/protocol/api.md")).unwrap();
    let tour = shell_under(&page, "## A tour with curl\n");
    let lines = tour
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .count();
    assert!((5..=16).contains(&lines), "{lines} lines are no short tour");
    let script = tour.replace("localhost:20000", &server.chat.to_string());
    assert!(
        script.contains(&server.chat.to_string()),
        "the tour goes to localhost:20000"
    );
    let script = format!("set -euo pipefail\n{script}");
    let output = run(Command::new("bash").args(["-c", &script]), PATIENCE);
    assert!(
        output.contains("\"hello\""),
        "it ends with the message being read: {output}"
    );
}

/// Everything that a small crowd says over WebSockets, each frame with what it is.
fn frames(server: &Server) -> Vec<(&'static str, Value)> {
    let (ann, bob) = (server.newcomer("ann"), server.newcomer("bob"));
    let mut phone = bob.connect();
    let mut laptop = ann.connect();
    let mut tablet = server.sign_in("ann", "tablet").connect();
    phone.ok("presence.set", json!({"status": "away"}));
    ann.befriend(&bob);
    let direct = ann.direct(&bob.user_id);
    let group = ann.create_group_with_members("Choir", &[&bob]);
    let choir = ann.of_group(&group);
    let place = laptop.say(&direct, "hello");
    laptop.say(&choir, "la");
    phone.hears(&direct, &["hello"]);
    phone.ack(&direct, place);
    phone.ok("read", json!({"conversation": direct, "seq": place}));
    phone.ok("typing", json!({"conversation": direct}));
    laptop.find_event("read");
    laptop.find_event("typing");
    laptop.ok("ping", json!({}));
    laptop.ok("conversation.open", json!({"conversation": choir}));
    laptop.ok("conversation.close", json!({"conversation": choir}));
    laptop.ok("presence.watch", json!({"user_ids": [bob.user_id]}));
    assert!(
        laptop
            .ask("ack", json!({"conversation": "1", "seq": 1}))
            .is_err()
    );
    let message = format!("/conversations/{direct}/messages/{place}");
    ann.patch(&message, &json!({"segments": segments("hello!")}))
        .ok(200);
    phone.find_event("message.updated");
    let groups = format!("/groups/{group}");
    let bobs = format!("{groups}/members/{}", bob.user_id);
    ann.patch(&groups, &json!({"name": "Band", "join": "approval"}))
        .ok(200);
    ann.patch(&bobs, &json!({"role": "admin"})).ok(200);
    ann.patch("/me", &json!({"nickname": "Ann B."})).ok(200);
    let eve = server.newcomer("eve");
    assert_eq!(
        eve.post(&format!("{groups}/join"), &json!({"note": "please"}))
            .status,
        202
    );
    phone.find_event("group.join_requested");
    assert!(ann.delete(&bobs).status < 300);
    tablet.find_event("group.member_removed");
    assert!(ann.delete(&groups).status < 300);
    tablet.find_event("group.dissolved");
    assert!(ann.delete(&format!("/contacts/{}", bob.user_id)).status < 300);
    phone.find_event("contact.removed");
    assert!(bob.delete("/sessions/current").status < 300);
    phone.find_event("session.revoked");
    server.stop();
    laptop.find_event("server.draining");
    let tapes: [&Socket; 3] = [&phone, &laptop, &tablet];
    tapes
        .into_iter()
        .flat_map(|socket| socket.tape.iter().map(kind))
        .collect()
}

fn kind((side, frame): &(Side, Value)) -> (&'static str, Value) {
    let kind = match side {
        Side::Client => "requests",
        Side::Server if frame["event"].is_string() => "events",
        Side::Server => "answers",
    };
    (kind, frame.clone())
}

#[test]
fn the_asyncapi_document_is_valid_and_describes_what_is_said() {
    let server = Server::sqlite();
    let lines: Vec<_> = frames(&server)
        .into_iter()
        .map(|(channel, frame)| json!({"channel": channel, "frame": frame}).to_string())
        .collect();
    let file = server.setup().directory().join("frames.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    let mut command = Command::new("node");
    command
        .arg(program("asyncapi_check.js"))
        .arg(installed("node_modules"));
    command.arg(root().join("docs/asyncapi.yaml")).arg(file);
    let seen = run(&mut command, PATIENCE);
    for name in [
        "answer",
        "contact.answered",
        "contact.removed",
        "contact.requested",
        "group.changed",
        "group.dissolved",
        "group.join_requested",
        "group.member_changed",
        "hello",
        "message",
        "message.updated",
        "presence",
        "read",
        "server.draining",
        "session.revoked",
        "typing",
    ] {
        assert!(seen.contains(name), "{name} was not seen: {seen}");
    }
}

/// A user who has something of everything, so that random requests find something.
fn inhabitant(server: &Server) -> ApiPerson {
    let (ann, bob) = server.acquainted();
    let cid = server.newcomer("cid");
    cid.ask_friend(&ann.user_id, "let me in");
    let direct = ann.direct(&bob.user_id);
    let group = ann.create_group_with_members("Choir", &[&bob]);
    let choir = ann.of_group(&group);
    for number in 0..5 {
        ann.say(&direct, &format!("a{number}"), "hello");
        bob.say(&choir, &format!("b{number}"), "la la");
    }
    ann.post("/contact_lists", &json!({"name": "Work"})).ok(201);
    assert!(
        ann.call("PUT", &format!("/blocks/{}", cid.user_id), None)
            .status
            < 300
    );
    assert_eq!(text(&ann.get("/me").ok(200)["username"]), "ann");
    ann
}

fn schemathesis(server: &Server, ann: &ApiPerson, more: &[&str]) {
    let mut command = Command::new(installed("venv/bin/schemathesis"));
    command.current_dir(server.setup().directory());
    command
        .arg("--config-file")
        .arg(program("schemathesis.toml"));
    command.args([
        "run",
        &format!("http://{}/api/v1/openapi.json", server.chat),
    ]);
    command.args(["--header", &format!("Authorization: Bearer {}", ann.token)]);
    command.args([
        "--checks",
        "all",
        "--seed",
        "4",
        "--no-color",
        "--request-timeout",
        "20",
    ]);
    // These never end, or are no plain calls.
    command.args([
        "--exclude-path",
        "/api/v1/events",
        "--exclude-path",
        "/api/v1/ws",
    ]);
    run(command.args(more), SCHEMATHESIS_PATIENCE);
}

/// A server without limits of rate: thousands of requests come from one account.
fn patient_server() -> Server {
    let mut setup = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--login-failures-max", "1000000")
        .chat_flag("--login-failures-per-address-max", "1000000")
        .chat_flag("--registrations-per-minute-max", "1000000");
    for class in ["sign-ins", "sends", "reads", "writes", "searches"] {
        setup = setup.chat_flag(&format!("--rate-{class}-per-s"), "0");
    }
    setup.start()
}

/// So many requests are made up for each operation; `MYIM_EXAMPLES` asks for more.
fn examples() -> String {
    std::env::var("MYIM_EXAMPLES").unwrap_or_else(|_| "15".to_owned())
}

/// Calls that end the session with which the others are made.
const ENDING: [&str; 2] = ["sign_out", "end_session"];

#[test]
fn the_description_is_true_for_random_requests() {
    let server = patient_server();
    let ann = inhabitant(&server);
    let examples = examples();
    let mut more = vec!["--max-examples", &examples];
    for operation in ENDING {
        more.extend(["--exclude-operation-id", operation]);
    }
    schemathesis(&server, &ann, &more);
    assert!(server.program().is_running());
}

#[test]
fn the_description_is_true_for_signing_out() {
    let (server, examples) = (patient_server(), examples());
    for operation in ENDING {
        let ann = match operation {
            "sign_out" => inhabitant(&server),
            _ => server.sign_in("ann", "another"),
        };
        let more = [
            "--max-examples",
            &examples,
            "--include-operation-id",
            operation,
        ];
        schemathesis(&server, &ann, &more);
    }
}
