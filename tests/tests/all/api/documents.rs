//! The published description and the page that shows it.

use std::collections::BTreeSet;

use myim_tests::server::Server;
use serde_json::Value;

/// What the contract promises, and must therefore be described.
const PROMISED: [(&str, &str); 60] = [
    ("get", "/server"),
    ("post", "/users"),
    ("get", "/users"),
    ("get", "/users/{id}"),
    ("post", "/sessions"),
    ("get", "/sessions"),
    ("delete", "/sessions/{id}"),
    ("delete", "/sessions/current"),
    ("get", "/me"),
    ("patch", "/me"),
    ("put", "/me/password"),
    ("get", "/contacts"),
    ("post", "/contacts/requests"),
    ("get", "/contacts/requests"),
    ("post", "/contacts/requests/{id}/accept"),
    ("post", "/contacts/requests/{id}/decline"),
    ("patch", "/contacts/{user_id}"),
    ("delete", "/contacts/{user_id}"),
    ("get", "/contact_lists"),
    ("post", "/contact_lists"),
    ("put", "/blocks/{user_id}"),
    ("delete", "/blocks/{user_id}"),
    ("post", "/groups"),
    ("get", "/groups/{id}"),
    ("patch", "/groups/{id}"),
    ("delete", "/groups/{id}"),
    ("get", "/groups/{id}/members"),
    ("put", "/groups/{id}/members/{user_id}"),
    ("post", "/groups/{id}/join"),
    ("post", "/conversations"),
    ("get", "/conversations"),
    ("post", "/conversations/{id}/messages"),
    ("get", "/conversations/{id}/messages"),
    ("get", "/sends/{client_id}"),
    ("get", "/files/{file}"),
    ("get", "/search"),
    ("get", "/sync"),
    ("get", "/events"),
    ("post", "/webhooks/outgoing"),
    ("get", "/webhooks/outgoing"),
    ("delete", "/webhooks/outgoing/{id}"),
    ("post", "/webhooks/outgoing/{id}/pause"),
    ("post", "/webhooks/outgoing/{id}/resume"),
    ("post", "/webhooks/outgoing/{id}/rotate_secret"),
    ("post", "/webhooks/outgoing/{id}/test"),
    ("get", "/webhooks/outgoing/{id}/dead_letters"),
    ("post", "/webhooks/outgoing/{id}/dead_letters/retry"),
    ("post", "/bots"),
    ("get", "/bots"),
    ("get", "/bots/{id}"),
    ("patch", "/bots/{id}"),
    ("delete", "/bots/{id}"),
    ("get", "/bots/{id}/tokens"),
    ("post", "/bots/{id}/tokens"),
    ("post", "/bots/{id}/tokens/{token_id}/rotate"),
    ("delete", "/bots/{id}/tokens/{token_id}"),
    ("post", "/conversations/{id}/webhooks"),
    ("get", "/webhooks/incoming"),
    ("delete", "/webhooks/incoming/{id}"),
    ("post", "/hooks/{id}/{secret}"),
];

/// A path without the names of its parameters.
fn shape(path: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for letter in path.chars() {
        match letter {
            '{' => inside = true,
            '}' => {
                inside = false;
                out.push('*');
            }
            _ if inside => {}
            letter => out.push(letter),
        }
    }
    out
}

#[test]
fn everything_that_was_promised_is_described() {
    let server = Server::sqlite();
    let described = server.api().get("/openapi.json").ok(200);
    assert!(
        described["openapi"]
            .as_str()
            .unwrap_or_default()
            .starts_with("3.1")
    );
    let paths = described["paths"].as_object().expect("paths");
    let found: BTreeSet<_> = paths
        .iter()
        .flat_map(|(path, operations)| {
            let methods = operations.as_object().expect("operations").keys();
            methods.map(move |method| (method.clone(), shape(path)))
        })
        .collect();
    let missing: Vec<_> = PROMISED
        .iter()
        .filter(|(method, path)| {
            !found.contains(&((*method).to_owned(), shape(&format!("/api/v1{path}"))))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    // Each has an id of its own and says how it fails.
    let mut ids = BTreeSet::new();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            let id = operation["operationId"].as_str().unwrap_or_default();
            assert!(
                !id.is_empty() && ids.insert(id.to_owned()),
                "{method} {path}: {id:?}"
            );
            let responses = operation["responses"].as_object().expect("responses");
            assert!(
                responses
                    .keys()
                    .any(|status| status.starts_with('2') || status.starts_with('1')),
                "{path}"
            );
            for (status, response) in responses {
                if status.starts_with(['4', '5']) {
                    let content = &response["content"]["application/problem+json"];
                    let reference = response["$ref"].is_string();
                    assert!(
                        content.is_object() || reference,
                        "{method} {path} {status}: {response}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn follow(all: &Value, here: &Value) {
        match here {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    let pointer = reference.strip_prefix('#').expect("no outside resources");
                    assert!(all.pointer(pointer).is_some(), "{reference}");
                }
                fields.values().for_each(|value| follow(all, value));
            }
            Value::Array(items) => items.iter().for_each(|value| follow(all, value)),
            _ => {}
        }
    }
    let server = Server::sqlite();
    let described = server.api().get("/openapi.json").ok(200);
    follow(&described, &described);
}

#[test]
fn the_readable_page_needs_nothing_from_outside() {
    let server = Server::sqlite();
    let request = hyper::Request::get("/api/docs")
        .header("host", server.chat.to_string())
        .body(http_body_util::Full::default())
        .unwrap();
    let page = server.api().send("GET /api/docs".to_owned(), request);
    assert_eq!(page.status, 200, "{page}");
    assert!(page.header("content-type").starts_with("text/html"));
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    for outside in [
        "src=\"http",
        "src='http",
        "src=\"//",
        "href=\"http",
        "@import",
        "url(http",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("username_taken"), "the codes are explained");
}
