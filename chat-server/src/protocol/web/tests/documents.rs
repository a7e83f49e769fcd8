//! The published description agrees with the routes.

use std::collections::HashSet;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::World;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Each operation: path below `/api/v1`, method, description.
async fn operations(world: &World) -> Vec<(String, String, Value)> {
    let document = world.call("GET", "/openapi.json", "", Value::Null).await;
    let document = document.ok(200);
    assert_eq!(document["openapi"], "3.1.0");
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/api/v1").unwrap();
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                all.push((path.to_owned(), method.to_uppercase(), operation.clone()));
            }
        }
    }
    assert!(all.len() > 30, "{}", all.len());
    all
}

#[tokio::test]
async fn no_route_answers_somebody_without_a_token() {
    let world = World::new().await;
    for (path, method, operation) in operations(&world).await {
        if operation["security"] == json!([]) {
            continue;
        }
        let answer = world.call(&method, &path, "", Value::Null).await;
        assert_eq!(answer.status, 401, "{method} {path}: {}", answer.body);
    }
}

#[tokio::test]
async fn every_operation_tells_its_errors_and_has_a_name() {
    let world = World::new().await;
    let mut names = HashSet::new();
    for (path, method, operation) in operations(&world).await {
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert!(names.insert(name.clone()), "{name} is there twice");
        assert!(operation["tags"][0].is_string(), "{method} {path}");
        assert!(operation["summary"].is_string(), "{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        for status in ["403", "429", "500", "503"] {
            assert!(responses.contains_key(status), "{method} {path}: {status}");
        }
        for (status, response) in responses {
            let is_error = status.starts_with(['4', '5']);
            let problem = &response["content"]["application/problem+json"]["schema"];
            assert_eq!(
                is_error,
                problem["$ref"].is_string(),
                "{method} {path}: {status}"
            );
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    fn walk<'a>(value: &'a Value, found: &mut HashSet<&'a str>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    found.insert(reference);
                }
                object.values().for_each(|value| walk(value, found));
            }
            Value::Array(array) => array.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let world = World::new().await;
    let document = world.call("GET", "/openapi.json", "", Value::Null).await;
    let document = document.ok(200);
    let mut found = HashSet::new();
    walk(&document, &mut found);
    assert!(found.contains("#/components/schemas/Problem"));
    for reference in found {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let world = World::new().await;
    let request = Request::get("/api/docs").body(Body::empty()).unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.status, 200);
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let page = answer.body.as_str().unwrap();
    for part in ["/api/v1/groups/{id}", "username_taken", "shape-User"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script") && !page.contains("src="));
}
