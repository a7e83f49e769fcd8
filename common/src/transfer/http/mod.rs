//! What HTTP is told on the ports of the transfer servers: not yet.

pub mod download;
mod file_name;
pub mod problem;

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::time::timeout;

use crate::net::Connection;

/// One question and one answer do not take longer.
const ALL_WITHIN: Duration = Duration::from_secs(10);

const PROBLEM: &str = r#"{"type":"about:blank","title":"Not Implemented","status":501,"detail":"Files cannot be moved over HTTP yet."}"#;

/// Answers one request, and closes.
pub(super) async fn refuse(connection: Connection) {
    let Connection { socket, permit, .. } = connection;
    let service = service_fn(|request| std::future::ready(answer(&request)));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().keep_alive(false);
    let serving = builder.serve_connection(TokioIo::new(socket), service);
    // However it ends, there is nothing more to say.
    let _ = timeout(ALL_WITHIN, serving).await;
    drop(permit);
}

fn answer<B>(_: &Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::from(PROBLEM));
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    Ok(response)
}
