//! A client of the HTTP interface, written a second time on purpose: requests, answers, problems.
//!
//! Knows JSON and status codes; what a user does with them stands in `account.rs`.

use std::net::SocketAddr;
use std::sync::LazyLock;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use crate::peer::PATIENCE;

/// What every path of the interface begins with.
pub const BASE: &str = "/api/v1";

/// Tests are plain functions: the client's futures run here.
pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
});

/// Somebody who calls the interface, with or without a token. Each call has a connection of its
/// own, so that a server that was killed leaves nothing behind.
#[derive(Clone, Debug)]
pub struct Api {
    pub address: SocketAddr,
    pub token: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was asked, for the failure message.
    pub asked: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Api {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            token: None,
        }
    }

    /// The same, signed in with this token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            address: self.address,
            token: Some(token.to_owned()),
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, Some(body))
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.call("PUT", path, Some(body))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call("PATCH", path, Some(body))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, None)
    }

    /// A call below [`BASE`].
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let text = body.map(Value::to_string).unwrap_or_default();
        self.call_raw(method, path, text.into_bytes(), &[])
    }

    /// A call below [`BASE`] with any body, said to be JSON unless the headers say otherwise.
    pub fn call_raw(
        &self,
        method: &str,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).expect("a method"))
            .uri(format!("{BASE}{path}"));
        let given = |name: &str| {
            headers
                .iter()
                .any(|(one, _)| one.eq_ignore_ascii_case(name))
        };
        if !given("host") {
            request = request.header(HOST, self.address.to_string());
        }
        if !body.is_empty() && !given("content-type") {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let (Some(token), false) = (&self.token, given("authorization")) {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body)).expect("a request");
        self.send(format!("{method} {path}"), request)
    }

    /// Sends any request and waits for the whole answer.
    pub fn send(&self, asked: String, request: Request<Full<Bytes>>) -> Answer {
        let address = self.address;
        let exchange = async move {
            let stream = TcpStream::connect(address)
                .await
                .unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"));
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream))
                    .await
                    .expect("a fresh connection");
            let driver = tokio::spawn(connection);
            let answer = sender.send_request(request).await?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await?.to_bytes();
            driver.abort();
            Ok::<_, hyper::Error>((head, body))
        };
        let outcome = RUNTIME
            .block_on(async { tokio::time::timeout(PATIENCE, exchange).await })
            .unwrap_or_else(|_| panic!("{asked}: no answer within {PATIENCE:?}"));
        let (head, body) = outcome.unwrap_or_else(|error| panic!("{asked}: {error}"));
        Answer {
            asked,
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        }
    }

    /// All pages of a list, `limit` at a time.
    pub fn list(&self, path: &str, limit: usize) -> Vec<Value> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let first = format!("{path}{separator}limit={limit}");
        let (mut items, mut next) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{first}{next}")).ok(200);
            let found = page["items"].as_array().expect("a list has items");
            assert!(found.len() <= limit, "{path}: more than asked for");
            items.extend(found.iter().cloned());
            match &page["next"] {
                Value::Null => return items,
                Value::String(cursor) => next = format!("&cursor={}", escaped(cursor)),
                other => panic!("{path}: `next` is {other}"),
            }
        }
    }
}

impl Answer {
    /// The body; it must be JSON, and say so.
    pub fn json(&self) -> Value {
        let kind = self.header("content-type");
        assert!(
            kind.starts_with("application/json") || kind.starts_with("application/problem+json"),
            "{self}: {kind:?} is not JSON"
        );
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    /// It went well, with this status; the body, null if there is none.
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// It was refused: a whole problem document with this status and code.
    pub fn refused(&self, status: u16, code: &str) -> Value {
        let problem = self.problem();
        assert_eq!(
            (self.status, problem["code"].as_str()),
            (status, Some(code)),
            "{self}"
        );
        problem
    }

    /// A problem document that obeys RFC 9457 and our own rules, whatever its code.
    pub fn problem(&self) -> Value {
        let kind = self.header("content-type");
        assert_eq!(kind, "application/problem+json", "{self}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self}");
        for field in ["type", "title", "detail", "code"] {
            let text = problem[field].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{self}: `{field}` says nothing");
        }
        let code = problem["code"].as_str().unwrap_or_default();
        let snake = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        assert!(code.bytes().all(snake), "{self}: {code:?} is no snake_case");
        if self.status == 429 || self.status == 503 {
            let wait = problem["retry_after"].as_u64();
            let header = self.header("retry-after").parse().ok();
            assert!(
                wait.is_some() && wait == header,
                "{self}: when to come back"
            );
        }
        problem
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        let start: String = body.chars().take(2000).collect();
        write!(f, "{} answered {}: {start}", self.asked, self.status)
    }
}

/// A text as it stands in a query or a path.
pub fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to memory");
        }
    }
    out
}
