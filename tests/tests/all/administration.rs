//! The admin socket, and `myim admin` against running servers and a database without one.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;

use myim_tests::admin::{admin, admin_with_token};
use myim_tests::api_person::{text, time, try_sign_in};
use myim_tests::person::password;
use myim_tests::process::command;
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::json;

tests! {
    sqlite: accounts_are_made_and_locked, people_read_tables, a_group_and_a_session_end,
        a_token_does_what_the_socket_does, a_database_is_looked_through;
    mariadb: accounts_are_made_and_locked, people_read_tables, a_group_and_a_session_end,
        a_token_does_what_the_socket_does, a_database_is_looked_through,
}

fn accounts_are_made_and_locked(server: &mut Server) {
    let made = server
        .admin(&["--json", "user", "create", "ann", "--random"])
        .json();
    assert_eq!(made[0]["user"]["username"], "ann");
    let word = text(&made[0]["password"]);
    try_sign_in(&server.api(), "ann", &word, "laptop").ok(201);
    let file = server.setup().directory().join("password");
    fs::write(&file, "good enough\nmore\n").unwrap();
    let file = file.to_string_lossy();
    let created = [
        "user",
        "create",
        "bob",
        "--nickname",
        "Bob B",
        "--password-file",
        &file,
    ];
    let told = server.admin(&created).ok();
    assert_eq!(told, "bob is made, number 2.\n");
    try_sign_in(&server.api(), "bob", "good enough", "laptop").ok(201);
    server.admin(&created).fails(1, "taken");
    let weak = ["user", "create", "cid", "--password-file", "-"];
    let mut asking = command("myim", server.setup().directory());
    let data = server.setup().data_dir();
    asking.args(["admin", "--data"]).arg(data).args(weak);
    asking.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut running = asking.spawn().unwrap();
    running.stdin.take().unwrap().write_all(b"cid\n").unwrap();
    let ended = running.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("the password is"));

    server.admin(&["user", "disable", "bob"]).ok();
    let locked = try_sign_in(&server.api(), "bob", "good enough", "laptop");
    locked.refused(403, "account_disabled");
    // By number too.
    server.admin(&["user", "enable", "2"]).ok();
    let reset = server
        .admin(&["--json", "user", "reset-password", "bob", "--random"])
        .json();
    try_sign_in(&server.api(), "bob", &text(&reset[0]["password"]), "laptop").ok(201);
    server.admin(&["user", "grant", "bob"]).ok();
    let admins = server.admin(&["--json", "user", "list", "--admins"]).json();
    assert_eq!((admins.len(), &admins[0]["id"]), (1, &json!("2")));
    server.admin(&["user", "revoke", "bob"]).ok();
    let shown = server.admin(&["--json", "user", "show", "bob"]).json();
    assert_eq!(
        (&shown[0]["admin"], &shown[0]["nickname"]),
        (&json!(false), &json!("Bob B"))
    );
    server.admin(&["user", "show", "nobody"]).fails(1, "nobody");
    server
        .admin(&["user", "disable", "999"])
        .fails(1, "no such user");
}

fn people_read_tables(server: &mut Server) {
    server.sign_up("ann");
    server.sign_up("小明");
    let table = server.admin(&["user", "list"]).ok();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0],
        "ID  NAME  NICKNAME  ROLE  ONLINE  LAST SEEN  LOCKED SINCE"
    );
    assert_eq!(lines[1], "1   ann   ann       user");
    assert_eq!(lines[2], "2   小明  小明      user");
    let shown = server.admin(&["user", "show", "小明"]).ok();
    assert!(
        shown.contains("number        2\n") && shown.contains("not locked"),
        "{shown}"
    );
    let stats = server.admin(&["stats"]).ok();
    assert!(stats.contains("users          2, bots: 0\n"), "{stats}");
    // Not everything that is counted there was written by somebody.
    assert!(stats.contains("\nentries        "), "{stats}");
    assert!(!stats.contains("messages"), "{stats}");
    let stats = server.admin(&["stats", "--json"]).json();
    assert_eq!(stats[0]["users"], 2);
    let invite = server
        .admin(&[
            "invite",
            "create",
            "--uses",
            "3",
            "--expires",
            "7d",
            "--note",
            "for dan",
        ])
        .ok();
    let (code, how) = invite.trim().split_once('\n').unwrap();
    assert_eq!(how, format!("myim register SERVER --invite {code}"));
    let listed = server.admin(&["--json", "invite", "list"]).json();
    assert_eq!(
        (&listed[0]["code"], &listed[0]["uses_max"]),
        (&json!(code), &json!(3))
    );
    time(&listed[0]["expires_at"]);
    server.admin(&["invite", "revoke", code]).ok();
    server
        .admin(&["invite", "revoke", code])
        .fails(1, "no such invite");
    assert_eq!(server.admin(&["--json", "invite", "list"]).ok(), "");
    let book = server.admin(&["audit", "--limit", "1"]).ok();
    assert!(
        book.starts_with("TIME") && book.contains("invite.revoke"),
        "{book}"
    );
    assert_eq!(book.lines().count(), 2, "{book}");
    // What is wrong with the arguments is said before anything is done.
    for wrong in [
        &["user", "list", "--admins", "--disabled"][..],
        &["audit", "--limit", "0"],
        &["invite", "create", "--expires", "tomorrow"],
        &["group", "dissolve", "choir"],
        &["user", "create", "dan", "--random", "--password-file", "x"],
        &["user", "create", "dan", "--password-file", "no such file"],
        &[],
    ] {
        let told = server.admin(wrong);
        assert_eq!(told.code, 2, "{told:?}");
    }
}

fn a_group_and_a_session_end(server: &mut Server) {
    let (ann, bob) = server.acquainted();
    let group = ann.create_group_with_members("Choir", &[&bob]);
    let mut socket = bob.connect();
    let groups = server.admin(&["--json", "group", "list"]).json();
    assert_eq!(
        (&groups[0]["id"], &groups[0]["name"]),
        (&json!(group), &json!("Choir"))
    );
    let table = server.admin(&["group", "list", "--query", "hoir"]).ok();
    assert!(table.contains("Choir  ann    2"), "{table}");
    server.admin(&["group", "dissolve", &group]).ok();
    assert_eq!(socket.find_event("group.dissolved")["group_id"], *group);
    server
        .admin(&["group", "dissolve", &group])
        .fails(1, "no such group");
    let sessions = server.admin(&["--json", "session", "list", "bob"]).json();
    assert_eq!(sessions.len(), 1);
    assert_eq!(
        (&sessions[0]["connected"], &sessions[0]["name"]),
        (&json!(true), &json!("laptop"))
    );
    assert_eq!(server.admin(&["--json", "session", "list"]).json().len(), 2);
    server.admin(&["session", "revoke", &bob.session_id]).ok();
    socket.is_signed_out();
    server
        .admin(&["session", "revoke", &bob.session_id])
        .fails(1, "no such session");
}

fn a_token_does_what_the_socket_does(server: &mut Server) {
    let (ann, bob) = (server.administrator("ann"), server.newcomer("bob"));
    let url = format!("http://{}", server.chat);
    let directory = server.setup().directory();
    let call = |args: &[&str], token: &str| {
        let all = [&["--server", &url], args].concat();
        admin_with_token(directory, &all, token)
    };
    let shown = call(&["--json", "user", "show", "bob"], &ann.token).json();
    assert_eq!(shown[0]["id"], *bob.user_id);
    call(&["user", "disable", "bob"], &ann.token).ok();
    call(&["user", "enable", "bob"], &ann.token).ok();
    assert!(
        call(&["log", "verify"], &ann.token)
            .ok()
            .contains("in order")
    );
    let book = call(&["--json", "audit"], &ann.token).json();
    assert_eq!(
        (&book[0]["action"], &book[0]["by"]),
        (&json!("log.verify"), &json!("ann"))
    );
    call(&["stats"], &bob.token).fails(4, "signed out");
    let cid = server.newcomer("cid");
    call(&["stats"], &cid.token).fails(4, "administrators");
    call(&["stats"], "forged").fails(4, "token");
    admin(directory, &["--server", &url, "stats"]).fails(4, "MYIM_TOKEN");
    admin_with_token(directory, &["--server", "chat.example", "stats"], "x").fails(2, "URL");
    // The sign-in of `myim login` does as well, and is that of this server alone.
    let config = directory.join("config");
    let as_saved = |url: &str| {
        let mut command = command("myim", directory);
        command.args(["admin", "--server", url, "stats"]);
        command.env("MYIM_CONFIG_DIR", &config);
        command.output().unwrap()
    };
    sign_in(server, &config, "ann");
    let told = as_saved(&url);
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    let told = as_saved("http://127.0.0.1:1");
    assert_eq!(told.status.code(), Some(4), "{told:?}");
    the_account_is_chosen(server, &config);
    let nobody = ["--server", "http://127.0.0.1:1", "stats"];
    admin_with_token(directory, &nobody, "x").fails(3, "127.0.0.1:1");
}

/// Of several who signed in with `myim login`: `ann` is an administrator, `cid` is none.
fn the_account_is_chosen(server: &Server, config: &Path) {
    let url = format!("http://{}", server.chat);
    sign_in(server, config, "cid");
    let told = |account: &[&str]| {
        let mut command = command("myim", server.setup().directory());
        command
            .args(["admin", "--server", &url, "stats"])
            .args(account);
        command.env("MYIM_CONFIG_DIR", config);
        let ran = command.output().unwrap();
        let err = String::from_utf8(ran.stderr).unwrap();
        (ran.status.code(), err)
    };
    let (code, err) = told(&[]);
    assert_eq!(code, Some(4), "the last one who signed in: {err}");
    assert!(err.contains("nly administrators"), "{err}");
    assert!(
        err.contains(&format!("cid@{url}")) && err.contains("--account"),
        "{err}"
    );
    assert_eq!(told(&["--account", "ann"]), (Some(0), String::new()));
    let whole = format!("ann@{url}");
    assert_eq!(told(&["--account", &whole]), (Some(0), String::new()));
    let (code, err) = told(&["--account", "dora"]);
    assert_eq!(code, Some(4), "{err}");
    assert!(err.contains("dora is not signed in on"), "{err}");
}

fn sign_in(server: &Server, config: &Path, name: &str) {
    let mut login = command("myim", server.setup().directory());
    let url = format!("http://{}", server.chat);
    login.args(["login", &url, name, "--password-file", "-"]);
    login.env("MYIM_CONFIG_DIR", config).stdin(Stdio::piped());
    let mut login = login.stdout(Stdio::null()).spawn().unwrap();
    let mut keys = login.stdin.take().unwrap();
    keys.write_all(password(name).as_bytes()).unwrap();
    drop(keys);
    assert!(login.wait().unwrap().success());
}

fn a_database_is_looked_through(server: &mut Server) {
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    for number in 0..5 {
        ann.say(&direct, &format!("client-{number}"), "hello");
    }
    let told = server.admin(&["log", "verify"]).ok();
    assert!(told.contains("are in order."), "{told}");
    let lines = server.admin(&["--json", "log", "verify"]).json();
    let end = lines.last().unwrap();
    assert_eq!((&end["type"], &end["findings"]), (&json!("end"), &json!(0)));
}

/// One request as a program of the machine would make it, without any library.
fn ask(socket: &Path, request: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream
        .set_read_timeout(Some(myim_tests::peer::PATIENCE))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_socket_is_the_operators_and_goes_away() {
    let mut server = Server::sqlite();
    let socket = server.setup().data_dir().join("admin.sock");
    let found = fs::metadata(&socket).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    let folder = fs::metadata(server.setup().data_dir()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    let get = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        ask(&socket, &request)
    };
    assert!(get("/api/v1/admin/stats").starts_with("HTTP/1.1 200 "));
    // Nothing but the administration is there.
    for elsewhere in ["/api/v1/me", "/api/v1/openapi.json", "/", "/api/v1/ws"] {
        assert!(get(elsewhere).starts_with("HTTP/1.1 404 "), "{elsewhere}");
    }
    server.sign_up("ann");
    server.admin(&["user", "grant", "ann"]).ok();
    let book = server.admin(&["--json", "audit"]).json();
    assert_eq!(book[0]["by"], format!("operator (uid {})", folder.uid()));
    // A server that was killed leaves it behind; the next one takes its place.
    server.crash();
    server.admin(&["stats"]).ok();
    server.stop();
    assert!(!socket.exists(), "an orderly end takes the socket away");
}

#[test]
fn a_second_server_does_not_take_the_socket() {
    let server = Server::sqlite();
    let socket = server.setup().data_dir().join("admin.sock");
    let other = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--admin-socket", &socket.to_string_lossy())
        .start_unready();
    let ended = other[0].wait(myim_tests::process::PROCESS_PATIENCE);
    assert_eq!(ended.code(), Some(74), "{}", other[0].story());
    assert!(
        other[0].log().contains("another server answers"),
        "{}",
        other[0].story()
    );
    server.admin(&["stats"]).ok();
}

#[test]
fn a_socket_that_was_asked_for_is_there_or_the_server_does_not_start() {
    let deep = std::env::temp_dir().join("deep".repeat(40));
    let asked = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--admin-socket", &deep.to_string_lossy())
        .start_unready();
    let ended = asked[0].wait(myim_tests::process::PROCESS_PATIENCE);
    assert_eq!(ended.code(), Some(64), "{}", asked[0].story());
    let log = asked[0].log();
    assert!(
        log.contains("longer than the system takes") && log.contains("--admin-socket"),
        "{log}"
    );
    // Whoever has his data deep in the tree goes without.
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("deep".repeat(40));
    fs::create_dir(&data).unwrap();
    let database = format!("sqlite:{}", data.join("myim.db").display());
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--database", &database)
        .start();
    server.logged("no administration from this machine");
}

#[test]
fn a_database_without_a_server_is_administered_all_the_same() {
    let mut server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    ann.say(&direct, "1", "hello");
    server.stop();
    let made = server
        .admin(&["--json", "user", "create", "cid", "--random"])
        .json();
    server.admin(&["user", "grant", "cid"]).ok();
    server.admin(&["user", "disable", "bob"]).ok();
    assert!(server.admin(&["log", "verify"]).ok().contains("in order"));
    let stats = server.admin(&["--json", "stats"]).json();
    assert_eq!(stats[0]["users"], 3);
    server.again();
    let signed = try_sign_in(&server.api(), "cid", &text(&made[0]["password"]), "x").ok(201);
    let cid = server.api().with_token(&text(&signed["token"]));
    assert!(cid.get(&format!("/admin/users/{}", bob.user_id)).ok(200)["disabled_at"].is_string());
    let book = cid.list("/admin/audit", 100);
    assert_eq!(book.len(), 4, "{book:?}");
    let told = bob.get("/me").refused(401, "unauthenticated");
    assert_eq!(
        told["detail"],
        "An administrator locked this account, and signed it out everywhere."
    );
    // Whoever has no genuine token learns nothing.
    let nobody = server.api().with_token("v1.worthless").get("/me");
    assert!(!nobody.to_string().contains("locked"), "{nobody}");
}

#[test]
fn what_an_administrator_does_to_an_older_database_is_told() {
    let server = Server::sqlite();
    server.newcomer("ann");
    server.stop();
    let path = server.setup().data_dir().join("myim.db");
    let database = rusqlite::Connection::open(path).unwrap();
    let back = "DROP TABLE t_name_look; DELETE FROM t_schema_version WHERE n = 6";
    database.execute_batch(back).unwrap();
    drop(database);
    let first = server.admin(&["user", "list"]);
    assert!(first.code == 0 && first.out.contains("ann"), "{first:?}");
    assert!(first.err.contains("upgrading the database"), "{first:?}");
    let again = server.admin(&["user", "list"]);
    assert_eq!(again.err, "", "{again:?}");
}

#[test]
fn what_is_damaged_is_told() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    for number in 0..3 {
        ann.say(&direct, &format!("client-{number}"), "hello");
    }
    server.stop();
    let path = server.setup().data_dir().join("myim.db");
    let database = rusqlite::Connection::open(path).unwrap();
    let damage = "DELETE FROM t_chatmsg WHERE f_conv = ?1 AND f_seq = 2";
    assert_eq!(database.execute(damage, [&direct]).unwrap(), 1);
    drop(database);
    let told = server.admin(&["log", "verify"]);
    assert_eq!((told.code, told.err.as_str()), (1, ""), "{told:?}");
    assert!(
        told.out
            .contains(&format!("conversation {direct} has no entry 2")),
        "{told:?}"
    );
    assert!(told.out.contains("1 findings in"), "{told:?}");
}

#[test]
fn who_is_not_there_is_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let told = |args: &[&str]| admin(directory.path(), args);
    told(&["stats"]).fails(3, "there is no database");
    told(&["--data", "elsewhere", "stats"]).fails(3, "elsewhere");
    told(&["--socket", "no.sock", "stats"]).fails(3, "no.sock");
    assert!(
        fs::read_dir(directory.path()).unwrap().next().is_none(),
        "nothing was made by asking"
    );
    // A server whose socket is elsewhere holds the database.
    let place = directory.path().join("own.sock");
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--admin-socket", &place.to_string_lossy())
        .start();
    server.admin(&["stats"]).fails(3, "in use");
    let own = place.to_string_lossy();
    admin(directory.path(), &["--socket", &own, "stats"]).ok();
}
