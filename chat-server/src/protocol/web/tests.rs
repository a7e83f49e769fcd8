//! The API without a socket: requests go straight into the router, over a database in a file.

mod accounts;
mod bad_input;
mod documents;
mod live;
mod people;
mod sync;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Request};
use common::clock::SystemClock;
use common::config::ChatConfig;
use common::http::problem::PROBLEM_JSON;
use common::store::{DatabaseUrl, OpenOptions, open};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::router;
use crate::app::App;
use crate::hub::Hub;
use crate::log::{Committer, Tail};

/// A password that is not weak.
const PASSWORD: &str = "correct horse";

/// A server without sockets.
struct World {
    router: Router,
    app: Arc<App>,
    _directory: tempfile::TempDir,
}

/// Somebody who is signed in.
struct Person {
    id: String,
    token: String,
    session: String,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    /// Null for an empty body, a text for what is no JSON.
    body: Value,
}

impl World {
    async fn new() -> Self {
        Self::with(ChatConfig::default()).await
    }

    async fn with(config: ChatConfig) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(directory.path().join("im.db"));
        let store = open(&url, &OpenOptions::default()).await.unwrap();
        let (tail, hub) = (Arc::new(Tail::default()), Arc::new(Hub::default()));
        let (log, committer) =
            Committer::new(Arc::clone(&store), Arc::clone(&tail), Arc::clone(&hub));
        tokio::spawn(committer.run(CancellationToken::new()));
        let app = App::new(config, store, log, tail, hub, Arc::new(SystemClock)).unwrap();
        let app = Arc::new(app);
        Self {
            router: router(Arc::clone(&app), CancellationToken::new()),
            app,
            _directory: directory,
        }
    }

    async fn send(&self, mut request: Request<Body>) -> Answer {
        let address = SocketAddr::from(([192, 0, 2, 1], 5000));
        request.extensions_mut().insert(ConnectInfo(address));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = match serde_json::from_slice(&bytes) {
            Ok(body) => body,
            Err(_) if bytes.is_empty() => Value::Null,
            Err(_) => String::from_utf8_lossy(&bytes).into_owned().into(),
        };
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        }
    }

    /// A call below `/api/v1`; a body of null is none.
    async fn call(&self, method: &str, path: &str, token: &str, body: Value) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"));
        if !token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header(CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        };
        self.send(request.body(body).unwrap()).await
    }

    async fn sign_up(&self, name: &str) -> Answer {
        let body = json!({"username": name, "password": PASSWORD});
        self.call("POST", "/users", "", body).await
    }

    async fn sign_in(&self, name: &str, password: &str, device: &str) -> Answer {
        let device = json!({"kind": "cli", "name": device, "id": device});
        let body = json!({"username": name, "password": password, "device": device});
        self.call("POST", "/sessions", "", body).await
    }

    async fn person(&self, name: &str) -> Person {
        self.sign_up(name).await.ok(201);
        self.person_on(name, "laptop").await
    }

    async fn person_on(&self, name: &str, device: &str) -> Person {
        let opened = self.sign_in(name, PASSWORD, device).await.ok(201);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Person {
            id: text(&opened["user"]["id"]),
            token: text(&opened["token"]),
            session: text(&opened["session_id"]),
        }
    }

    async fn get(&self, who: &Person, path: &str) -> Answer {
        self.call("GET", path, &who.token, Value::Null).await
    }

    async fn post(&self, who: &Person, path: &str, body: Value) -> Answer {
        self.call("POST", path, &who.token, body).await
    }

    async fn befriend(&self, one: &Person, other: &Person) {
        let body = json!({"user_id": other.id});
        let request = self.post(one, "/contacts/requests", body).await.ok(201);
        let id = request["id"].as_str().unwrap();
        let path = format!("/contacts/requests/{id}/accept");
        self.post(other, &path, Value::Null).await.ok(200);
    }
}

impl Answer {
    /// The body of an answer with this status.
    #[track_caller]
    fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// A whole problem with this status and code.
    #[track_caller]
    fn refused(&self, status: u16, code: &str) {
        let body = &self.body;
        let found = (self.status, body["code"].as_str());
        assert_eq!(found, (status, Some(code)), "{body}");
        assert_eq!(self.headers[CONTENT_TYPE], PROBLEM_JSON);
        assert_eq!(body["status"], status);
        assert!(body["title"].is_string() && body["detail"].is_string());
        assert_eq!(body["type"], format!("/api/docs#problem-{code}"));
    }
}
