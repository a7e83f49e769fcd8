//! What a new password must be is the same on every door, if the server says so.

use myim_tests::api_person::try_sign_in;
use myim_tests::person::{Person, code, register};
use myim_tests::server::{Db, Kind, Setup};
use myim_tests::wire::Flavor;
use serde_json::json;

const LONG: &str = "twelve chars";
const SHORT: &str = "eleven char";

#[test]
fn a_new_password_is_as_long_as_the_server_asks_through_every_door() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--password-chars-min", "12")
        .start();
    let api = server.api();
    let limits = &api.get("/server").ok(200)["limits"];
    assert_eq!(limits["password_chars_min"], 12);

    assert_eq!(register(server.chat, "ann", "Ann", SHORT), 100);
    assert_eq!(register(server.chat, "ann", "Ann", LONG), 0);
    let sign_up = |password| json!({"username": "bob", "password": password});
    api.post("/users", &sign_up(SHORT))
        .refused(422, "weak_password");
    api.post("/users", &sign_up(LONG)).ok(201);

    let mut old = Person::login(server.peer(Flavor::Pc), "ann", LONG);
    let change = json!({"oldpassword": LONG, "newpassword": SHORT});
    assert_eq!(code(&old.ask(1008, change.to_string())), 105);
    let signed = try_sign_in(&api, "bob", LONG, "x").ok(201);
    let bob = api.with_token(signed["token"].as_str().unwrap());
    let change = json!({"old_password": LONG, "new_password": SHORT});
    bob.put("/me/password", &change)
        .refused(422, "weak_password");
    // Nothing was changed.
    try_sign_in(&api, "ann", LONG, "x").ok(201);
    try_sign_in(&api, "bob", LONG, "x").ok(201);
    std::fs::write(server.setup().directory().join("short.txt"), SHORT).unwrap();
    let reset = [
        "user",
        "reset-password",
        "bob",
        "--password-file",
        "short.txt",
    ];
    let told = server.admin(&reset);
    assert!(told.code == 1 && told.err.contains("shorter"), "{told:?}");
}
