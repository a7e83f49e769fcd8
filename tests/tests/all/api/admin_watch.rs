//! What administrators' pages show of a server that runs: activity, complaints, settings.

use std::fs;
use std::time::Instant;

use myim_tests::http;
use myim_tests::peer::PATIENCE;
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::Value;

tests! {
    sqlite: the_last_hour_is_there_in_samples, settings_tell_where_they_come_from;
    mariadb: the_last_hour_is_there_in_samples, settings_tell_where_they_come_from,
}

fn items(answer: &Value) -> &[Value] {
    answer["items"].as_array().expect("a list has items")
}

fn the_last_hour_is_there_in_samples(server: &mut Server) {
    let ann = server.administrator("ann");
    // The first one is taken at the start.
    let deadline = Instant::now() + PATIENCE;
    let answer = loop {
        let answer = ann.get("/admin/activity").ok(200);
        if !items(&answer).is_empty() {
            break answer;
        }
        assert!(Instant::now() < deadline, "no sample");
    };
    assert_eq!(answer["interval_s"], 10);
    let sample = &items(&answer)[0];
    assert!(sample["time"].as_str().unwrap().ends_with('Z'), "{sample}");
    for number in [
        "/users_online",
        "/connections/flamingo",
        "/connections/websocket",
        "/connections/http",
        "/connections/transfer",
        "/messages",
        "/deliveries",
        "/queues/log",
        "/queues/index",
        "/queues/webhooks_retrying",
        "/warnings",
        "/errors",
        "/upload_bytes",
        "/download_bytes",
    ] {
        let found = sample.pointer(number);
        assert!(found.is_some_and(Value::is_u64), "{number}: {sample}");
    }
    for estimate in ["commit_p50_ms", "commit_p99_ms"] {
        let found = &sample[estimate];
        assert!(found.is_null() || found.is_f64(), "{estimate}: {sample}");
    }
}

#[test]
fn complaints_are_kept_as_they_were_logged() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    let folder = setup.directory().join("client");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("index.html"), "<p>page</p>").unwrap();
    // More than the server gives out: it says so and goes on.
    let large = fs::File::create(folder.join("large.js")).unwrap();
    large.set_len(17 << 20).unwrap();
    let place = folder.to_string_lossy().into_owned();
    let server = setup.chat_flag("--web-client-dir", &place).start();
    let ann = server.administrator("ann");
    let before = ann.get("/admin/errors").ok(200);
    assert_eq!(http::get(server.chat, "/assets/dev/large.js").status, 404);
    let after = ann.get("/admin/errors").ok(200);
    assert_eq!(items(&after).len(), items(&before).len() + 1, "{after}");
    let newest = &items(&after)[0];
    assert_eq!(newest["level"], "warn");
    assert_eq!(newest["message"], "a file of the web client cannot be read");
    assert!(
        newest["target"]
            .as_str()
            .unwrap()
            .starts_with("chat_server::")
    );
    let path = newest["fields"]["path"].as_str().unwrap();
    assert!(path.ends_with("large.js"), "{newest}");
    server.logged("large.js");
}

fn settings_tell_where_they_come_from(server: &mut Server) {
    let ann = server.administrator("ann");
    let answer = ann.get("/admin/config").ok(200);
    let find = |name: &str| {
        let found = items(&answer).iter().find(|one| one["name"] == name);
        found
            .unwrap_or_else(|| panic!("no {name}: {answer}"))
            .clone()
    };
    let bind = find("bind");
    assert_eq!(
        (&bind["value"], &bind["source"]),
        (&"127.0.0.1".into(), &"flag".into())
    );
    let friends = find("friends_max");
    assert_eq!(
        (&friends["value"], &friends["source"]),
        (&3000.into(), &"default".into())
    );
    assert_eq!(find("public_url")["value"], Value::Null);
    let names: Vec<_> = items(&answer)
        .iter()
        .map(|one| one["name"].as_str())
        .collect();
    assert!(names.is_sorted(), "{names:?}");
}

#[test]
fn settings_of_all_layers_are_told_without_passwords() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    let file = setup.directory().join("myim.toml");
    fs::write(
        &file,
        "teams_max = 7\nserver_name = \"http://ann:secret@host\"",
    )
    .unwrap();
    let server = setup
        .chat_flag("--config", &file.to_string_lossy())
        .variable("MYIM_BOTS_MAX", "3")
        .start();
    let answer = server.administrator("ann").get("/admin/config").ok(200);
    for (name, value, source) in [("teams_max", 7, "file"), ("bots_max", 3, "environment")] {
        let found = items(&answer)
            .iter()
            .find(|one| one["name"] == name)
            .unwrap();
        assert_eq!(
            (&found["value"], &found["source"]),
            (&value.into(), &source.into())
        );
    }
    assert!(!answer.to_string().contains("secret"), "{answer}");
}
