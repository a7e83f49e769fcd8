//! What administrators do with accounts, over HTTP.

use myim_tests::api_person::{text, time, try_sign_in};
use myim_tests::person::password;
use myim_tests::server::Server;
use serde_json::{Value, json};

use super::{refused, row, server_with};

tests! {
    sqlite: an_account_is_made_for_somebody, an_administrator_makes_and_unmakes_others,
        a_password_is_replaced, a_session_is_ended, a_group_is_dissolved, everything_is_in_the_book;
    mariadb: an_account_is_made_for_somebody, an_administrator_makes_and_unmakes_others,
        a_password_is_replaced, a_session_is_ended, a_group_is_dissolved, everything_is_in_the_book,
}

/// Every route below `/admin`.
pub(super) const ROUTES: [(&str, &str); 25] = [
    ("POST", "/admin/users"),
    ("GET", "/admin/users"),
    ("GET", "/admin/users/1"),
    ("POST", "/admin/users/1/disable"),
    ("POST", "/admin/users/1/enable"),
    ("PUT", "/admin/users/1/password"),
    ("PUT", "/admin/users/1/role"),
    ("GET", "/admin/users/1/sessions"),
    ("GET", "/admin/sessions"),
    ("DELETE", "/admin/sessions/1000"),
    ("GET", "/admin/groups"),
    ("DELETE", "/admin/groups/268435456"),
    ("GET", "/admin/stats"),
    ("GET", "/admin/activity"),
    ("GET", "/admin/errors"),
    ("GET", "/admin/config"),
    ("GET", "/admin/files"),
    ("GET", "/admin/audit"),
    ("POST", "/admin/log/verify"),
    ("POST", "/admin/invites"),
    ("GET", "/admin/invites"),
    ("POST", "/admin/upgrades"),
    ("GET", "/admin/upgrades"),
    ("PATCH", "/admin/upgrades/1"),
    ("POST", "/admin/upgrades/1/withdraw"),
];

#[test]
fn only_administrators_get_in() {
    let server = Server::sqlite();
    let (ann, bob) = (server.administrator("ann"), server.newcomer("bob"));
    let rows = |refusal: (u16, &'static str)| {
        let rows = ROUTES
            .iter()
            .map(|(method, path)| row(method, *path, None, refusal));
        rows.collect::<Vec<_>>()
    };
    refused(&bob.api, &rows((403, "not_an_admin")));
    refused(&server.api(), &rows((401, "unauthenticated")));
    // Nobody filled the book, and nothing happened.
    let book = ann.list("/admin/audit", 100);
    assert_eq!(book.len(), 1, "{book:?}");
    assert!(ann.get("/admin/users/1").ok(200)["disabled_at"].is_null());
    // All routes of the administration are in the list above.
    let described = server.api().get("/openapi.json").ok(200);
    let paths = described["paths"].as_object().unwrap().iter();
    let count: usize = paths
        .filter(|(path, _)| path.starts_with("/api/v1/admin/"))
        .map(|(_, operations)| operations.as_object().unwrap().len())
        .sum();
    assert_eq!(count, ROUTES.len() + 1, "and one that takes a code");
}

fn an_account_is_made_for_somebody(server: &mut Server) {
    let ann = server.administrator("ann");
    let made = ann
        .post("/admin/users", &json!({"username": "bob"}))
        .ok(201);
    let word = text(&made["password"]);
    assert_eq!(word.len(), 20);
    let user = &made["user"];
    assert_eq!(
        (&user["username"], &user["nickname"]),
        (&json!("bob"), &json!("bob"))
    );
    assert_eq!(
        (&user["admin"], &user["bot"]),
        (&json!(false), &json!(false))
    );
    try_sign_in(&server.api(), "bob", &word, "laptop").ok(201);
    let body = json!({"username": "cid", "password": "good enough", "nickname": "Cid"});
    let made = ann.post("/admin/users", &body).ok(201);
    assert!(
        made["password"].is_null(),
        "what was given is not told again"
    );
    assert_eq!(made["user"]["nickname"], "Cid");
    try_sign_in(&server.api(), "cid", "good enough", "laptop").ok(201);
    refused(
        &ann.api,
        &[
            row(
                "POST",
                "/admin/users",
                json!({"username": "bob"}),
                (409, "username_taken"),
            ),
            row(
                "POST",
                "/admin/users",
                json!({"username": ""}),
                (422, "invalid_username"),
            ),
            row(
                "POST",
                "/admin/users",
                json!({"username": "dan", "password": "short"}),
                (422, "weak_password"),
            ),
            row("POST", "/admin/users", json!({}), (400, "invalid_body")),
        ],
    );
}

#[test]
fn an_account_is_made_where_registration_is_closed() {
    let server = server_with("--registration", "closed");
    let made = server
        .admin(&["--json", "user", "create", "ann", "--random"])
        .json();
    server.admin(&["user", "grant", "ann"]).ok();
    let word = text(&made[0]["password"]);
    let signed = try_sign_in(&server.api(), "ann", &word, "laptop").ok(201);
    let ann = server.api().with_token(&text(&signed["token"]));
    ann.post("/admin/users", &json!({"username": "bob"}))
        .ok(201);
    let body = json!({"username": "cid", "password": "good enough"});
    server
        .api()
        .post("/users", &body)
        .refused(403, "registration_closed");
}

fn an_administrator_makes_and_unmakes_others(server: &mut Server) {
    let (ann, bob) = (server.administrator("ann"), server.newcomer("bob"));
    let role = |user: &str| format!("/admin/users/{user}/role");
    let admin = json!({"role": "admin"});
    let user = json!({"role": "user"});
    refused(
        &ann.api,
        &[
            row("PUT", role(&ann.user_id), user.clone(), (409, "last_admin")),
            row("PUT", role("999"), admin.clone(), (404, "no_such_user")),
            row(
                "PUT",
                role(&bob.user_id),
                json!({"role": "owner"}),
                (400, "invalid_body"),
            ),
        ],
    );
    ann.put(&role(&bob.user_id), &admin).ok(204);
    bob.get("/admin/stats").ok(200);
    bob.put(&role(&ann.user_id), &user).ok(204);
    ann.get("/admin/stats").refused(403, "not_an_admin");
    let admins = bob.list("/admin/users?state=admins", 100);
    assert_eq!(admins.len(), 1);
    assert_eq!(admins[0]["username"], "bob");
}

fn a_password_is_replaced(server: &mut Server) {
    let (ann, bob) = (server.administrator("ann"), server.newcomer("bob"));
    let mut socket = bob.connect();
    let path = format!("/admin/users/{}/password", bob.user_id);
    let made = ann.put(&path, &json!({"password": "another one"})).ok(200);
    assert!(made["password"].is_null());
    socket.is_signed_out();
    bob.get("/me").refused(401, "unauthenticated");
    let old = try_sign_in(&server.api(), "bob", &password("bob"), "laptop");
    old.refused(401, "bad_credentials");
    try_sign_in(&server.api(), "bob", "another one", "laptop").ok(201);
    let made = ann.put(&path, &json!({})).ok(200);
    try_sign_in(&server.api(), "bob", &text(&made["password"]), "laptop").ok(201);
    refused(
        &ann.api,
        &[
            row(
                "PUT",
                path,
                json!({"password": "bob"}),
                (422, "weak_password"),
            ),
            row(
                "PUT",
                "/admin/users/999/password",
                json!({}),
                (404, "no_such_user"),
            ),
        ],
    );
}

fn a_session_is_ended(server: &mut Server) {
    let (ann, bob) = (server.administrator("ann"), server.newcomer("bob"));
    let phone = server.sign_in("bob", "phone");
    let mut socket = phone.connect();
    let of_bob = ann.list(&format!("/admin/users/{}/sessions", bob.user_id), 100);
    assert_eq!(of_bob.len(), 2);
    let connected: Vec<_> = of_bob
        .iter()
        .filter(|one| one["connected"] == true)
        .map(|one| text(&one["session_id"]))
        .collect();
    assert_eq!(connected, std::slice::from_ref(&phone.session_id));
    for one in &of_bob {
        assert_eq!(
            (&one["username"], &one["kind"]),
            (&json!("bob"), &json!("desktop"))
        );
        time(&one["seen_at"]);
        time(&one["expires_at"]);
    }
    assert_eq!(ann.list("/admin/sessions", 1).len(), 3, "page by page");
    let path = format!("/admin/sessions/{}", phone.session_id);
    ann.delete(&path).ok(204);
    socket.is_signed_out();
    phone.get("/me").refused(401, "unauthenticated");
    bob.get("/me").ok(200);
    ann.delete(&path).refused(404, "no_such_session");
}

fn a_group_is_dissolved(server: &mut Server) {
    let root = server.administrator("root");
    let (ann, bob) = server.acquainted();
    let group = ann.create_group_with_members("Choir", &[&bob]);
    let (mut anns, mut bobs) = (ann.connect(), bob.connect());
    let listed = root.list("/admin/groups?query=hoi", 100);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["id"], *group);
    assert_eq!(listed[0]["members"], 2);
    assert_eq!(listed[0]["owner"]["username"], "ann");
    time(&listed[0]["last_at"]);
    let path = format!("/admin/groups/{group}");
    root.delete(&path).ok(204);
    for device in [&mut anns, &mut bobs] {
        let told = device.find_event("group.dissolved");
        assert_eq!(told["group_id"], *group);
    }
    ann.get(&format!("/groups/{group}"))
        .refused(404, "no_such_group");
    root.delete(&path).refused(404, "no_such_group");
    let user = format!("/admin/groups/{}", ann.user_id);
    root.delete(&user).refused(404, "no_such_group");
}

fn everything_is_in_the_book(server: &mut Server) {
    let (ann, bob) = (server.administrator("ann"), server.newcomer("bob"));
    let phone = server.sign_in("bob", "phone");
    let group = bob.create_group_with_members("Choir", &[]);
    let of_bob = |what: &str| format!("/admin/users/{}/{what}", bob.user_id);
    ann.post("/admin/users", &json!({"username": "cid"}))
        .ok(201);
    ann.delete(&format!("/admin/sessions/{}", phone.session_id))
        .ok(204);
    ann.put(&of_bob("password"), &json!({"password": "a secret of bob"}))
        .ok(200);
    ann.post(&of_bob("disable"), &json!({})).ok(204);
    ann.post(&of_bob("enable"), &json!({})).ok(204);
    ann.put(&of_bob("role"), &json!({"role": "admin"})).ok(204);
    ann.delete(&format!("/admin/groups/{group}")).ok(204);
    let invite = ann
        .post("/admin/invites", &json!({"note": "for dan"}))
        .ok(201);
    let code = text(&invite["code"]);
    ann.delete(&format!("/admin/invites/{code}")).ok(204);
    ann.post("/admin/log/verify", &json!({})).ndjson();
    let oneself = format!("/admin/users/{}/disable", ann.user_id);
    ann.post(&oneself, &json!({})).refused(409, "oneself");
    // Looking is not written down.
    ann.get("/admin/stats").ok(200);
    ann.list("/admin/users", 100);
    let session = format!("session:{}", phone.session_id);
    let (bobs, groups) = (format!("user:{}", bob.user_id), format!("group:{group}"));
    let invites = format!("invite:{code}");
    let wanted = [
        ("user.role", "user:1", "ann is admin"),
        ("user.create", "user:3", "cid"),
        ("session.end", &*session, "of user 2 (bob)"),
        ("user.password", &*bobs, "bob"),
        ("user.disable", &*bobs, "bob"),
        ("user.enable", &*bobs, "bob"),
        ("user.role", &*bobs, "bob is admin"),
        ("group.dissolve", &*groups, "Choir"),
        ("invite.create", &*invites, "for dan"),
        ("invite.revoke", &*invites, ""),
        ("log.verify", "", ""),
    ];
    // The newest first, page by page.
    let mut book = ann.list("/admin/audit", 3);
    book.reverse();
    let found: Vec<_> = book
        .iter()
        .map(|line| {
            let text = |field: &str| line[field].as_str().unwrap_or_default();
            (text("action"), text("target"), text("detail"))
        })
        .collect();
    assert_eq!(found, wanted);
    assert!(text(&book[0]["by"]).starts_with("operator (uid "));
    assert_eq!(book[0]["actor"], "0");
    for line in &book[1..] {
        assert_eq!(
            (&line["by"], &line["actor"]),
            (&json!("ann"), &json!(ann.user_id))
        );
        time(&line["time"]);
    }
    let all = Value::from(book).to_string();
    assert!(!all.contains("a secret"), "no password is written down");
    // What the log of the server says is no better.
    assert!(!server.program().log().contains("a secret"));
}
