//! Accounts, sessions, the own profile, other people's profiles.

use myim_tests::api_person::{text, time, try_sign_in};
use myim_tests::person::{password, register};
use myim_tests::server::Server;
use myim_tests::wire::Flavor;
use serde_json::{Value, json};

use super::{refused, row, server_with, went_well};

fn account(name: &str, password: &str) -> Value {
    json!({"username": name, "password": password})
}

#[test]
fn an_account_is_made_once() {
    let server = Server::sqlite();
    let api = server.api();
    let made = api
        .post(
            "/users",
            &json!({"username": "ann", "password": "pw of ann", "nickname": "Ann"}),
        )
        .ok(201);
    let user = &made["user"];
    assert_eq!(
        (&user["username"], &user["nickname"]),
        (&json!("ann"), &json!("Ann"))
    );
    assert_eq!(user["id"], "1");
    assert!(made["user"]["password"].is_null());
    refused(
        &api,
        &[
            row(
                "POST",
                "/users",
                account("ann", "another one"),
                (409, "username_taken"),
            ),
            row(
                "POST",
                "/users",
                account("ANN", "another one"),
                (409, "username_taken"),
            ),
            row(
                "POST",
                "/users",
                account("\u{430}nn", "another one"),
                (409, "username_taken"),
            ),
            row(
                "POST",
                "/users",
                account("", "good enough"),
                (422, "invalid_username"),
            ),
            row(
                "POST",
                "/users",
                account(&"n".repeat(300), "good enough"),
                (422, "invalid_username"),
            ),
            row(
                "POST",
                "/users",
                account("a\u{7}b", "good enough"),
                (422, "invalid_username"),
            ),
            row(
                "POST",
                "/users",
                account("bob", "short"),
                (422, "weak_password"),
            ),
            row("POST", "/users", account("bob", ""), (422, "weak_password")),
            row(
                "POST",
                "/users",
                account("bob", &"p".repeat(2000)),
                (422, "weak_password"),
            ),
            row(
                "POST",
                "/users",
                json!({"password": "good enough"}),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                "/users",
                json!({"username": 7, "password": "good enough"}),
                (400, "invalid_body"),
            ),
            row(
                "POST",
                "/users",
                json!({"username": "bob", "password": null}),
                (400, "invalid_body"),
            ),
            row("POST", "/users", json!([]), (400, "invalid_body")),
        ],
    );
}

#[test]
fn nobody_registers_where_registration_is_closed() {
    let server = server_with("--registration", "closed");
    let answer = server.api().post("/users", &account("ann", "good enough"));
    answer.refused(403, "registration_closed");
}

#[test]
fn one_account_for_both_kinds_of_client() {
    let server = Server::sqlite();
    server.sign_up("ann");
    server.login("ann", Flavor::Pc);
    assert_eq!(register(server.chat, "bob", "bob", &password("bob")), 0);
    let bob = server.sign_in("bob", "laptop");
    let me = bob.get("/me").ok(200);
    let me = if me["user"].is_object() {
        &me["user"]
    } else {
        &me
    };
    assert_eq!((&me["id"], &me["username"]), (&json!("2"), &json!("bob")));
    let taken = register(server.chat, "ann", "ann", &password("ann"));
    assert_eq!(taken, 101, "one name, one account");
}

#[test]
fn signing_in_and_out() {
    let server = Server::sqlite();
    let api = server.api();
    server.sign_up("ann");
    let answer = try_sign_in(&api, "ann", &password("ann"), "laptop").ok(201);
    for field in ["token", "session_id"] {
        assert!(!text(&answer[field]).is_empty());
    }
    time(&answer["expires_at"]);
    assert_eq!(answer["user"]["username"], "ann");
    for (name, password) in [
        ("ann", "wrong password"),
        ("nobody", "wrong password"),
        ("ann", ""),
    ] {
        try_sign_in(&api, name, password, "laptop").refused(401, "bad_credentials");
    }
    let body =
        json!({"username": "ann", "password": password("ann"), "device": {"kind": "fridge"}});
    let answer = api.post("/sessions", &body);
    let code = answer.problem()["code"].clone();
    assert!(
        code == "invalid_body" || code == "invalid_value",
        "{answer}"
    );
    let body = json!({"username": "ann", "password": password("ann")});
    api.post("/sessions", &body).refused(400, "invalid_body");

    let (laptop, phone) = (
        server.sign_in("ann", "laptop"),
        server.sign_in("ann", "phone"),
    );
    let sessions = laptop.list("/sessions", 100);
    let ids: Vec<_> = sessions
        .iter()
        .map(|one| text(&one["session_id"]))
        .collect();
    assert_eq!(sessions.len(), 2, "one session a device: {sessions:?}");
    assert!(ids.contains(&laptop.session_id) && ids.contains(&phone.session_id));
    let current: Vec<_> = sessions
        .iter()
        .filter(|one| one["current"] == true)
        .collect();
    assert!(current.len() <= 1);

    // The phone is signed out from the laptop: its token and its connection end.
    let mut connected = phone.connect();
    went_well(&laptop.delete(&format!("/sessions/{}", phone.session_id)));
    connected.is_signed_out();
    phone.get("/me").refused(401, "unauthenticated");
    laptop
        .delete(&format!("/sessions/{}", phone.session_id))
        .refused(404, "no_such_session");
    went_well(&laptop.delete("/sessions/current"));
    laptop.get("/me").refused(401, "unauthenticated");
}

#[test]
fn signing_in_again_on_a_device_ends_the_earlier_session() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let first = server.sign_in("ann", "laptop");
    let mut connected = first.connect();
    let second = server.sign_in("ann", "laptop");
    connected.is_signed_out();
    first.get("/me").refused(401, "unauthenticated");
    went_well(&second.get("/me"));
    assert_eq!(second.list("/sessions", 100).len(), 1);
}

#[test]
fn too_many_attempts_have_to_wait() {
    let server = server_with("--login-failures-max", "3");
    let api = server.api();
    server.sign_up("ann");
    for _ in 0..3 {
        try_sign_in(&api, "ann", "wrong password", "laptop").refused(401, "bad_credentials");
    }
    let answer = try_sign_in(&api, "ann", &password("ann"), "laptop");
    let problem = answer.refused(429, "too_many_attempts");
    assert!(problem["retry_after"].as_u64() > Some(0), "{answer}");
}

#[test]
fn a_token_is_good_until_it_is_not() {
    let mut server = Server::sqlite();
    let ann = server.newcomer("ann");
    let forged = |token: &str| server.api().with_token(token).get("/me");
    let mut flipped = ann.token.clone();
    let last = flipped.pop().unwrap();
    flipped.push(if last == 'A' { 'B' } else { 'A' });
    for token in [
        "",
        "x",
        "a.b.c",
        &flipped,
        &ann.token[..ann.token.len() - 4],
        &"x".repeat(8000),
    ] {
        forged(token).refused(401, "unauthenticated");
    }
    let no_bearer = [("authorization", ann.token.as_str())];
    let answer = server.api().call_raw("GET", "/me", Vec::new(), &no_bearer);
    answer.refused(401, "unauthenticated");
    assert!(!answer.header("www-authenticate").is_empty());
    // The key is in the database: a token outlives the server.
    server.crash();
    went_well(&ann.get("/me"));
    // A new password signs the other devices out.
    let phone = server.sign_in("ann", "phone");
    let change = json!({"old_password": password("ann"), "new_password": "another password"});
    went_well(&ann.put("/me/password", &change));
    phone.get("/me").refused(401, "unauthenticated");
    let api = server.api();
    try_sign_in(&api, "ann", &password("ann"), "tablet").refused(401, "bad_credentials");
    try_sign_in(&api, "ann", "another password", "tablet").ok(201);
}

#[test]
fn the_own_profile_and_what_others_see_of_it() {
    let server = Server::sqlite();
    let (ann, eve) = (server.newcomer("ann"), server.newcomer("eve"));
    let change = json!({"nickname": "Ännchen 😀", "signature": "la la", "mail": "ann@example.org",
        "phone": "123", "address": "Choir Street 1"});
    went_well(&ann.patch("/me", &change));
    let unwrap = |value: Value| match &value["user"] {
        Value::Object(_) => value["user"].clone(),
        _ => value,
    };
    let me = unwrap(ann.get("/me").ok(200));
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(me[field], *value, "{me}");
    }
    let seen = unwrap(eve.get(&format!("/users/{}", ann.user_id)).ok(200));
    assert_eq!(seen["nickname"], "Ännchen 😀");
    for private in ["mail", "phone", "address"] {
        assert!(
            seen[private].is_null(),
            "a stranger sees no {private}: {seen}"
        );
    }
    let found = eve.list("/users?query=ann", 10);
    assert!(
        found.iter().any(|one| one["id"] == *ann.user_id),
        "{found:?}"
    );
    refused(
        &eve.api,
        &[
            row("GET", "/users/999", None, (404, "no_such_user")),
            row("GET", "/users/0", None, (404, "no_such_user")),
            row("GET", "/users/-1", None, (404, "not_found")),
            row("GET", "/users/nobody", None, (404, "not_found")),
            row(
                "GET",
                "/users/99999999999999999999",
                None,
                (404, "not_found"),
            ),
            row(
                "PATCH",
                "/me",
                json!({"nickname": "n".repeat(2000)}),
                (422, "invalid_value"),
            ),
            row(
                "PATCH",
                "/me",
                json!({"nickname": 7}),
                (400, "invalid_body"),
            ),
            row(
                "PUT",
                "/me/password",
                json!({"old_password": "wrong password", "new_password": "good enough"}),
                (403, "wrong_password"),
            ),
            row(
                "PUT",
                "/me/password",
                json!({"old_password": password("eve"), "new_password": "short"}),
                (422, "weak_password"),
            ),
        ],
    );
}
