//! Accounts, sessions, the own profile and password.

use common::config::{ApiConfig, ChatConfig, Registration};
use serde_json::{Value, json};

use super::{PASSWORD, World};

#[tokio::test]
async fn an_account_is_made_once_with_a_good_name_and_password() {
    let world = World::new().await;
    let made = world.sign_up("ann").await.ok(201);
    assert_eq!(made["user"]["username"], "ann");
    assert_eq!(made["user"]["nickname"], "ann");
    assert!(made["user"]["id"].is_string());
    world.sign_up("ann").await.refused(409, "username_taken");
    for (name, password, code) in [
        ("", PASSWORD, "invalid_username"),
        ("a\nb", PASSWORD, "invalid_username"),
        (&*"x".repeat(32), PASSWORD, "invalid_username"),
        ("bob", "short", "weak_password"),
        ("robertson", "Robertson", "weak_password"),
        ("bob", &"x".repeat(1025), "weak_password"),
    ] {
        let body = json!({"username": name, "password": password});
        let answer = world.call("POST", "/users", "", body).await;
        answer.refused(422, code);
    }
    let closed = World::with(ChatConfig {
        registration: Registration::Closed,
        ..ChatConfig::default()
    });
    let closed = closed.await;
    closed
        .sign_up("ann")
        .await
        .refused(403, "registration_closed");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_told_alike() {
    let world = World::new().await;
    world.sign_up("ann").await.ok(201);
    let wrong = world.sign_in("ann", "wrong horse", "laptop").await;
    let unknown = world.sign_in("nobody", PASSWORD, "laptop").await;
    wrong.refused(401, "bad_credentials");
    assert_eq!((wrong.status, &wrong.body), (unknown.status, &unknown.body));
    for _ in 0..9 {
        let answer = world.sign_in("ann", "wrong horse", "laptop").await;
        answer.refused(401, "bad_credentials");
    }
    let answer = world.sign_in("ann", PASSWORD, "laptop").await;
    answer.refused(429, "too_many_attempts");
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_device_is_signed_out_at_once() {
    let world = World::new().await;
    let laptop = world.person("ann").await;
    let phone = world.person_on("ann", "phone").await;
    let stranger = world.person("bob").await;
    let sessions = world.get(&laptop, "/sessions").await.ok(200);
    assert_eq!(sessions["items"].as_array().unwrap().len(), 2);
    let path = format!("/sessions/{}", phone.session);
    let answer = world
        .call("DELETE", &path, &stranger.token, Value::Null)
        .await;
    answer.refused(404, "no_such_session");
    world.get(&phone, "/me").await.ok(200);
    let answer = world
        .call("DELETE", &path, &laptop.token, Value::Null)
        .await;
    assert_eq!(answer.ok(204), Value::Null);
    let answer = world.get(&phone, "/me").await;
    answer.refused(401, "unauthenticated");
    assert_eq!(answer.headers["www-authenticate"], "Bearer");

    let current = "/sessions/current";
    let answer = world
        .call("DELETE", current, &laptop.token, Value::Null)
        .await;
    answer.ok(204);
    world
        .get(&laptop, "/me")
        .await
        .refused(401, "unauthenticated");
}

#[tokio::test]
async fn signing_in_again_on_a_device_ends_its_earlier_session() {
    let world = World::new().await;
    let earlier = world.person("ann").await;
    world.get(&earlier, "/me").await.ok(200);
    let later = world.person_on("ann", "laptop").await;
    world
        .get(&earlier, "/me")
        .await
        .refused(401, "unauthenticated");
    let sessions = world.get(&later, "/sessions").await.ok(200);
    let sessions = sessions["items"].as_array().unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["session_id"], later.session.as_str());
    assert_eq!(sessions[0]["current"], true);
    assert_eq!(sessions[0]["name"], "laptop");
}

#[tokio::test]
async fn the_own_profile_changes_in_parts() {
    let world = World::new().await;
    let ann = world.person("ann").await;
    let change = json!({"nickname": "Annie", "birthday": "2000-02-29", "phone": "1", "later": 1});
    let changed = world.call("PATCH", "/me", &ann.token, change).await.ok(200);
    assert_eq!(changed["nickname"], "Annie");
    assert_eq!(changed["birthday"], "2000-02-29");
    let change = json!({"avatar": "builtin:7", "phone": ""});
    world.call("PATCH", "/me", &ann.token, change).await.ok(200);
    let me = world.get(&ann, "/me").await.ok(200);
    assert_eq!(me["nickname"], "Annie");
    assert_eq!(me["avatar"], "builtin:7");
    assert_eq!(me.get("phone"), None);
    for (change, status, code) in [
        (json!({"nickname": ""}), 422, "invalid_value"),
        (json!({"gender": 2}), 422, "invalid_value"),
        (json!({"nickname": 7}), 400, "invalid_body"),
        (json!({"birthday": "2001-02-29"}), 400, "invalid_body"),
        (json!([]), 400, "invalid_body"),
    ] {
        let answer = world.call("PATCH", "/me", &ann.token, change).await;
        answer.refused(status, code);
    }
}

#[tokio::test]
async fn a_new_password_signs_all_other_devices_out() {
    let world = World::new().await;
    let laptop = world.person("ann").await;
    let phone = world.person_on("ann", "phone").await;
    let put = async |old: &str, new: &str| {
        let body = json!({"old_password": old, "new_password": new});
        world.call("PUT", "/me/password", &laptop.token, body).await
    };
    put("wrong horse", "battery staple")
        .await
        .refused(403, "wrong_password");
    put(PASSWORD, "short").await.refused(422, "weak_password");
    world.get(&phone, "/me").await.ok(200);
    put(PASSWORD, "battery staple").await.ok(204);
    world
        .get(&phone, "/me")
        .await
        .refused(401, "unauthenticated");
    world.get(&laptop, "/me").await.ok(200);
    world
        .sign_in("ann", PASSWORD, "phone")
        .await
        .refused(401, "bad_credentials");
    world
        .sign_in("ann", "battery staple", "phone")
        .await
        .ok(201);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let world = World::with(ChatConfig {
        api: ApiConfig {
            rate_reads_per_s: 1,
            ..ApiConfig::default()
        },
        ..ChatConfig::default()
    });
    let world = world.await;
    let ann = world.person("ann").await;
    for _ in 0..2 {
        world.get(&ann, "/me").await.ok(200);
    }
    let answer = world.get(&ann, "/me").await;
    answer.refused(429, "rate_limited");
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(answer.body["retry_after"], 1);
}
