//! The admin port: over HTTP, for the machine itself, how a server is.
//!
//! `/livez` says that the program answers at all, `/readyz` whether clients should come, `/metrics`
//! what was counted, `/version` what runs. `health` makes the checks of `/readyz`, `probe` the one
//! of the database.
//!
//! Knows no user and changes nothing. It asks no password, so it listens on loopback unless it is
//! told otherwise.

mod health;
mod probe;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::net::{self, Connection, ConnectionLimits, Listener};
use crate::telemetry::Insight;

pub use health::{Health, Watched};

/// A monitoring system or two, and somebody who looks. Taken from the descriptors that are kept
/// for what is no client.
const LIMITS: ConnectionLimits = ConnectionLimits {
    total_max: 16,
    per_address_max: 16,
    greeting_per_address_max: 16,
};

/// A connection that asks nothing for so long is closed.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
/// The version of Prometheus' text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the admin port can tell.
#[derive(Debug)]
pub struct Admin {
    pub health: Health,
    pub insight: Insight,
}

/// Answers until `over`. That is later than the wish to stop: a server that drains still says so.
pub async fn serve(admin: Admin, listener: Listener, over: CancellationToken) {
    let admin = Arc::new(admin);
    let handle = |connection| converse(Arc::clone(&admin), connection);
    net::serve(listener, LIMITS, over, &TaskTracker::new(), handle).await;
}

async fn converse(admin: Arc<Admin>, connection: Connection) {
    let Connection { socket, permit, .. } = connection;
    permit.greeted();
    let service = service_fn(|request| answer(&admin, request));
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(socket), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "an admin request failed");
    }
}

async fn answer<B>(
    admin: &Admin,
    request: Request<B>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(reply(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n"));
    }
    Ok(match request.uri().path() {
        "/livez" => reply(StatusCode::OK, TEXT, "ok\n"),
        "/readyz" => {
            let report = admin.health.report().await;
            let status = match report.is_ready() {
                true => StatusCode::OK,
                false => StatusCode::SERVICE_UNAVAILABLE,
            };
            reply(status, JSON, format!("{}\n", report.json()))
        }
        "/metrics" => reply(StatusCode::OK, METRICS, admin.insight.text()),
        "/version" => {
            let version = json!({ "name": "myim", "version": env!("CARGO_PKG_VERSION") });
            reply(StatusCode::OK, JSON, format!("{version}\n"))
        }
        _ => reply(
            StatusCode::NOT_FOUND,
            TEXT,
            "there are /livez, /readyz, /metrics and /version\n",
        ),
    })
}

fn reply(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
