//! What no client should send.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::World;

fn post(path: &str, kind: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::post(format!("/api/v1{path}"));
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    request.body(body.into()).unwrap()
}

#[tokio::test]
async fn a_body_is_bounded_declared_and_json() {
    const JSON: Option<&str> = Some("application/json");
    let world = World::new().await;
    let good = r#"{"username":"ann","password":"correct horse"}"#;
    let deep = format!(r#"{{"username":{}"#, "[".repeat(10_000));
    let long = format!(r#"{{"username":"{}"}}"#, "x".repeat(1024 * 1024));
    for (kind, body, status, code) in [
        (None, good, 415, "unsupported_media_type"),
        (Some("text/plain"), good, 415, "unsupported_media_type"),
        (JSON, "", 400, "invalid_json"),
        (JSON, "{", 400, "invalid_json"),
        (JSON, &deep, 400, "invalid_json"),
        (
            JSON,
            r#"{"username":"a","username":"b"}"#,
            400,
            "invalid_json",
        ),
        (
            JSON,
            r#"{"username":"\ud800","password":"x"}"#,
            400,
            "invalid_json",
        ),
        (
            JSON,
            r#"{"username":1,"password":"x"}"#,
            400,
            "invalid_body",
        ),
        (
            JSON,
            r#"{"username":null,"password":"x"}"#,
            400,
            "invalid_body",
        ),
        (JSON, r#"{"username":"ann"}"#, 400, "invalid_body"),
        (JSON, "[]", 400, "invalid_body"),
        (JSON, r#"["ann","correct horse",null]"#, 400, "invalid_body"),
        (JSON, &long, 413, "payload_too_large"),
    ] {
        let request = post("/users", kind, body.to_owned());
        world.send(request).await.refused(status, code);
    }
    let request = post("/users", Some("Application/JSON; charset=utf-8"), good);
    world.send(request).await.ok(201);
}

#[tokio::test]
async fn there_is_nothing_beside_the_routes() {
    let world = World::new().await;
    let answer = world.call("GET", "/nothing", "", Value::Null).await;
    answer.refused(404, "not_found");
    let answer = world.call("PUT", "/users", "", json!({})).await;
    answer.refused(405, "method_not_allowed");
    let allowed = answer.headers["allow"].to_str().unwrap();
    assert!(
        allowed.contains("GET") && allowed.contains("POST"),
        "{allowed}"
    );
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.headers.contains_key("x-request-id"));
    assert!(!answer.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn a_token_that_is_none_opens_nothing() {
    let world = World::new().await;
    let ann = world.person("ann").await;
    let (signed, _) = ann.token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", "A".repeat(43));
    for token in ["", "x", "v1.AAAA.AAAA", &forged, &format!("{}x", ann.token)] {
        let answer = world.call("GET", "/me", token, Value::Null).await;
        answer.refused(401, "unauthenticated");
    }
    let request = Request::get("/api/v1/me")
        .header("authorization", format!("Basic {}", ann.token))
        .body(Body::empty())
        .unwrap();
    world.send(request).await.refused(401, "unauthenticated");
    // Not in the query either, where logs and proxies would see it.
    let path = format!("/me?token={}", ann.token);
    let answer = world.call("GET", &path, "", Value::Null).await;
    answer.refused(401, "unauthenticated");
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let world = World::new().await;
    let ann = world.person("ann").await;
    let ask = async |origin: &str| {
        let request = Request::get("/api/v1/me")
            .header("host", "chat.example")
            .header("origin", origin)
            .header("authorization", format!("Bearer {}", ann.token))
            .body(Body::empty())
            .unwrap();
        world.send(request).await
    };
    ask("https://chat.example").await.ok(200);
    ask("https://evil.example")
        .await
        .refused(403, "foreign_origin");
    ask("null").await.refused(403, "foreign_origin");
}

#[tokio::test]
async fn limits_have_bounds_and_cursors_are_read_leniently() {
    let world = World::new().await;
    let ann = world.person("ann").await;
    for good in ["limit=1", "limit=500", "cursor=0", "cursor=999999999999"] {
        world
            .get(&ann, &format!("/users?query=ann&{good}"))
            .await
            .ok(200);
    }
    for bad in [
        "limit=0",
        "limit=501",
        "limit=1000000000",
        "limit=-1",
        "limit=ten",
        "limit=",
        "cursor=x",
        "limit=1&limit=2",
    ] {
        let answer = world.get(&ann, &format!("/users?query=ann&{bad}")).await;
        answer.refused(400, "invalid_parameter");
    }
}
