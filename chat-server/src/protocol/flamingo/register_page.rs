//! The original's HTTP service: `GET /register.do?p={json}`, off by default.
//!
//! It puts a password into a URL, where proxies keep it; it is there for web pages that were
//! written for the original server. One request a connection.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use common::net::Connection;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::greeting::registered;
use crate::app::App;
use crate::command::Registration;

const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Wanted {
    username: String,
    nickname: String,
    password: String,
}

/// Serves one connection.
pub(crate) async fn serve(app: Arc<App>, connection: Connection, shutdown: CancellationToken) {
    let from = connection.socket.peer().ip();
    let stream = TokioIo::new(connection.socket);
    let service = service_fn(move |request| answer(Arc::clone(&app), from, request));
    let serving = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(stream, service);
    tokio::select! {
        served = serving => if let Err(error) = served {
            tracing::debug!(%error, "a registration request failed");
        },
        () = shutdown.cancelled() => {}
    }
}

/// Anything but a readable registration is answered like the original does: by closing.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request is not one this service knows")
    }
}

impl std::error::Error for Closed {}

async fn answer(
    app: Arc<App>,
    from: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Closed> {
    let wanted = read(&request).ok_or(Closed)?;
    let (code, msg) = registered(&app, from, wanted).await;
    let msg = serde_json::Value::from(msg);
    // With the original's blanks: pages may compare the text.
    let body = format!(r#"{{"code": {code}, "msg": {msg}}}"#);
    let answer = Response::builder()
        .status(StatusCode::OK)
        .header(CONTENT_TYPE, "text/html")
        .body(Full::from(body));
    answer.map_err(|_: hyper::http::Error| Closed)
}

fn read(request: &Request<Incoming>) -> Option<Registration> {
    if request.uri().path() != "/register.do" {
        return None;
    }
    let parameter = request.uri().query()?.strip_prefix("p=")?.replace('+', " ");
    let json = percent_decode_str(&parameter).decode_utf8().ok()?;
    let wanted: Wanted = serde_json::from_str(&json).ok()?;
    let Wanted {
        username,
        nickname,
        password,
    } = wanted;
    Some(Registration {
        username,
        nickname,
        password,
        invite: None,
    })
}

/// Keeps the service's error type honest: hyper needs one, and this service has only one.
const _: fn(Infallible) -> Closed = |never| match never {};
