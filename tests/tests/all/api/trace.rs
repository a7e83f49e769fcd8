//! One id in the log follows a message: sent, committed, fanned out, acknowledged.

use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::Value;

/// The lines about the path of messages, in the order in which they were written.
fn traced(server: &Server) -> Vec<Value> {
    let log = server.program().log();
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["target"] == "myim::trace")
        .collect()
}

#[test]
fn one_trace_id_follows_a_message() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .flag("--log", "info,myim::trace=debug")
        .start();
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    let (mut writer, mut reader) = (ann.connect(), bob.connect());
    let seq = writer.say(&direct, "follow me");
    reader.hears(&direct, &["follow me"]);
    reader.ack(&direct, seq);
    server.logged(r#""user":2,"device""#);

    let lines = traced(&server);
    let of_message = |line: &&Value| line["conv"] == direct && line["message"] != "sent";
    let committed = lines.iter().find(of_message).expect("a line of the commit");
    let id = &committed["trace_id"];
    assert_eq!(id.as_str().map(str::len), Some(32), "{committed}");
    let path: Vec<&Value> = lines
        .iter()
        .filter(|line| line["trace_id"] == *id)
        .collect();
    let said: Vec<&str> = path
        .iter()
        .filter_map(|line| line["message"].as_str())
        .collect();
    // The device that wrote it holds it too, so it may be acknowledged twice.
    for step in ["sent", "committed", "fanned out", "acknowledged"] {
        assert!(said.contains(&step), "{step} is missing in {said:?}");
    }
    assert_eq!(said[0], "sent");
    let has_it = |line: &&&Value| line["message"] == "acknowledged" && line["user"] == 2;
    let acknowledged = path.iter().find(has_it).expect("Bob's device has it");
    assert_eq!(acknowledged["seq"], seq);
    assert!(!server.program().log().contains("follow me"));
}
