//! Accounts that are made with an invite.

use myim_tests::api_person::{ApiPerson, text, time};
use myim_tests::person::{password, register};
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::{Value, json};

use super::{refused, row};

fn account(name: &str, invite: Option<&str>) -> Value {
    let mut body = json!({"username": name, "password": password(name)});
    if let Some(invite) = invite {
        body["invite"] = invite.into();
    }
    body
}

/// A server that asks for invites, and its administrator.
fn closed(db: Db) -> (Server, ApiPerson) {
    let server = Setup::new(Kind::Whole, db)
        .open()
        .chat_flag("--registration", "invite")
        .chat_flag("--public-url", "https://chat.example/")
        .start();
    if db == Db::MariaDb {
        server.program().wait_for_log("database open");
    }
    let file = server.setup().directory().join("password");
    std::fs::write(&file, password("root")).unwrap();
    let file = file.to_string_lossy();
    server
        .admin(&["user", "create", "root", "--password-file", &file])
        .ok();
    server.admin(&["user", "grant", "root"]).ok();
    let root = server.sign_in("root", "laptop");
    (server, root)
}

fn an_invite_makes_an_account(db: Db) {
    let (server, root) = closed(db);
    let made = root
        .post(
            "/admin/invites",
            &json!({"uses_max": 2, "note": "for 小明"}),
        )
        .ok(201);
    let code = text(&made["code"]);
    assert_eq!(made["server"], "https://chat.example");
    assert_eq!((&made["uses"], &made["uses_max"]), (&json!(0), &json!(2)));
    assert_eq!(
        (&made["note"], &made["usable"]),
        (&json!("for 小明"), &json!(true))
    );
    assert_eq!(made["created_by"], *root.user_id);
    assert!(made["expires_at"].is_null());
    time(&made["created_at"]);
    let api = server.api();
    refused(
        &api,
        &[
            row(
                "POST",
                "/users",
                account("ann", None),
                (403, "invite_needed"),
            ),
            row(
                "POST",
                "/users",
                account("ann", Some("")),
                (403, "invite_invalid"),
            ),
            row(
                "POST",
                "/users",
                account("ann", Some("一次")),
                (403, "invite_invalid"),
            ),
            // Whose name is taken keeps the invite.
            row(
                "POST",
                "/users",
                account("root", Some(&code)),
                (409, "username_taken"),
            ),
        ],
    );
    for name in ["ann", "bob"] {
        api.post("/users", &account(name, Some(&code))).ok(201);
        server.sign_in(name, "laptop");
    }
    let late = api.post("/users", &account("cid", Some(&code)));
    late.refused(403, "invite_invalid");
    let all = root.list("/admin/invites", 100);
    assert_eq!(all.len(), 1);
    assert_eq!(
        (&all[0]["uses"], &all[0]["usable"]),
        (&json!(2), &json!(false))
    );
    // The existing clients have no way to say a code.
    assert_ne!(register(server.chat, "dan", "dan", &password("dan")), 0);
}

#[test]
fn an_invite_makes_an_account_on_sqlite() {
    an_invite_makes_an_account(Db::Sqlite);
}

#[test]
fn an_invite_makes_an_account_on_mariadb() {
    an_invite_makes_an_account(Db::MariaDb);
}

#[test]
fn an_invite_ends() {
    let (server, root) = closed(Db::Sqlite);
    let made = root.post("/admin/invites", &json!({})).ok(201);
    let code = text(&made["code"]);
    root.delete(&format!("/admin/invites/{code}")).ok(204);
    let late = server.api().post("/users", &account("ann", Some(&code)));
    late.refused(403, "invite_invalid");
    let past = json!({"expires_at": "2020-01-31T12:00:00.000Z"});
    let long = json!({"note": "n".repeat(300)});
    refused(
        &root.api,
        &[
            row(
                "DELETE",
                format!("/admin/invites/{code}"),
                None,
                (404, "no_such_invite"),
            ),
            row("DELETE", "/admin/invites/x", None, (404, "no_such_invite")),
            row("POST", "/admin/invites", past, (422, "invalid_value")),
            row(
                "POST",
                "/admin/invites",
                json!({"uses_max": 0}),
                (422, "invalid_value"),
            ),
            row(
                "POST",
                "/admin/invites",
                json!({"uses_max": -1}),
                (400, "invalid_body"),
            ),
            row("POST", "/admin/invites", long, (422, "invalid_value")),
        ],
    );
}

#[test]
fn closed_is_closed_and_open_is_open() {
    let server = super::server_with("--registration", "closed");
    let made = server.admin(&["--json", "invite", "create"]).json();
    let code = text(&made[0]["code"]);
    assert!(
        made[0]["server"].is_null(),
        "nobody said how this server is reached"
    );
    let refused = server.api().post("/users", &account("ann", Some(&code)));
    refused.refused(403, "registration_closed");
    let server = Server::sqlite();
    let unneeded = server.api().post("/users", &account("ann", Some("any")));
    unneeded.ok(201);
}
