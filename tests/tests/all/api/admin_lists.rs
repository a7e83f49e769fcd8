//! What administrators see: accounts, how much there is, and whether the database is in order.

use myim_tests::api_person::{text, time};
use myim_tests::server::Server;
use myim_tests::wire::Flavor;
use serde_json::{Value, json};

use super::{refused, row};

tests! {
    sqlite: accounts_are_found, everything_is_counted, a_database_is_in_order;
    mariadb: accounts_are_found, everything_is_counted, a_database_is_in_order,
}

fn names(users: &[Value]) -> Vec<String> {
    users.iter().map(|user| text(&user["username"])).collect()
}

fn accounts_are_found(server: &mut Server) {
    let ann = server.administrator("ann");
    let bob = server.newcomer("bob");
    server.sign_up("小明");
    ann.post(&format!("/admin/users/{}/disable", bob.user_id), &json!({}))
        .ok(204);
    for limit in [1, 100] {
        let all = ann.list("/admin/users", limit);
        assert_eq!(names(&all), ["ann", "bob", "小明"]);
    }
    let found = |query: &str| names(&ann.list(&format!("/admin/users?{query}"), 100));
    assert_eq!(found("query=%E6%98%8E"), ["小明"]);
    assert_eq!(found("query=OB"), ["bob"]);
    assert_eq!(found(&format!("query={}", bob.user_id)), ["bob"]);
    assert_eq!(found("username=bo"), [""; 0]);
    assert_eq!(found("username=bob"), ["bob"]);
    assert_eq!(found("state=admins"), ["ann"]);
    assert_eq!(found("state=disabled"), ["bob"]);
    assert_eq!(found("state=all&query=nobody"), [""; 0]);
    let shown = ann.get(&format!("/admin/users/{}", bob.user_id)).ok(200);
    time(&shown["disabled_at"]);
    assert_eq!(
        (&shown["online"], &shown["admin"]),
        (&json!(false), &json!(false))
    );
    let _device = ann.connect();
    let shown = ann.get(&format!("/admin/users/{}", ann.user_id)).ok(200);
    assert_eq!(
        (&shown["online"], &shown["admin"]),
        (&json!(true), &json!(true))
    );
    assert!(shown["disabled_at"].is_null());
    refused(
        &ann.api,
        &[
            row("GET", "/admin/users/999", None, (404, "no_such_user")),
            row("GET", "/admin/users/x", None, (404, "not_found")),
            row(
                "GET",
                "/admin/users?state=x",
                None,
                (400, "invalid_parameter"),
            ),
            row(
                "GET",
                "/admin/audit?cursor=x",
                None,
                (400, "invalid_parameter"),
            ),
        ],
    );
}

fn everything_is_counted(server: &mut Server) {
    let root = server.administrator("root");
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    ann.say(&direct, "1", "hello");
    ann.create_group_with_members("Choir", &[&bob]);
    let before = root.get("/admin/stats").ok(200);
    let (_socket, _old) = (ann.connect(), server.login("bob", Flavor::Pc));
    let stats = root.get("/admin/stats").ok(200);
    let count = |name: &str| stats[name].as_u64().unwrap_or_default();
    assert_eq!((count("users"), count("bots"), count("groups")), (3, 0, 1));
    // Theirs, the group's, and the inboxes of who became contacts.
    assert_eq!((count("conversations"), count("sessions")), (4, 3));
    assert!(count("messages") > 3, "{stats}");
    assert!(count("database_bytes") > 0, "{stats}");
    assert_eq!(stats["online"]["users"], 2);
    let connections =
        json!({"flamingo": 1, "websocket": 1, "event_stream": 0, "sync": 0, "webhook": 0});
    assert_eq!(stats["online"]["connections"], connections);
    assert_eq!(before["online"]["users"], 0);
    assert_eq!(stats["file_cache"], json!({"files": 0, "bytes": 0}));
    assert!(stats["queues"]["log"].is_u64() && stats["uptime_s"].is_u64());
    assert!(!text(&stats["epoch"]).is_empty() && !text(&stats["version"]).is_empty());
}

fn a_database_is_in_order(server: &mut Server) {
    let root = server.administrator("root");
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    for number in 0..30 {
        ann.say(&direct, &format!("client-{number}"), "hello");
    }
    let lines = root.post("/admin/log/verify", &json!({})).ndjson();
    let end = lines.last().unwrap();
    assert_eq!(
        (&end["type"], &end["findings"]),
        (&json!("end"), &json!(0)),
        "{lines:?}"
    );
    assert!(end["conversations"].as_u64() >= Some(3), "{end}");
    assert!(end["entries"].as_u64() > Some(30), "{end}");
    assert!(
        lines.iter().all(|line| line["type"] != "finding"),
        "{lines:?}"
    );
}
