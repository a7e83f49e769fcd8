//! What happens to every request around its handler: the log, foreign pages, errors.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{self, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::Instrument;
use uuid::Uuid;

use super::problem::{PROBLEM_JSON, Problem};
use crate::config::Origins;
use crate::transfer::Transfers;

/// Under which number the request stands in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a page may read of an answer, besides what every page may.
const EXPOSED: &[&str] = &[
    "accept-ranges",
    "content-disposition",
    "content-location",
    "content-range",
    "etag",
    "location",
    "myim-file",
    "retry-after",
    "tus-checksum-algorithm",
    "tus-extension",
    "tus-max-size",
    "tus-resumable",
    "tus-version",
    "upload-concat",
    "upload-defer-length",
    "upload-expires",
    "upload-length",
    "upload-metadata",
    "upload-offset",
    "x-request-id",
];

/// Gives every request a span.
pub(super) async fn traced(request: Request, next: Next) -> Response {
    let number = Uuid::now_v7().simple().to_string();
    // The route and not the path: paths name files, and queries hold signatures.
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("-", MatchedPath::as_str);
    let span = tracing::info_span!("request", trace = %number, method = %request.method(), route);
    let began = Instant::now();
    let mut response = async {
        let response = next.run(request).await;
        let status = response.status().as_u16();
        let took_ms = began.elapsed().as_secs_f64() * 1000.0;
        tracing::debug!(status, took_ms, "answered");
        response
    }
    .instrument(span)
    .await;
    if let Ok(number) = HeaderValue::try_from(number) {
        response.headers_mut().insert(REQUEST_ID, number);
    }
    response
}

/// Gives errors that nobody explained a body, and every answer the header that keeps browsers from
/// guessing.
pub(super) async fn explained(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(CONTENT_TYPE);
    let is_problem = kind.is_some_and(|kind| kind == PROBLEM_JSON);
    let mut response = if is_error && !is_problem {
        let code = match status.as_u16() {
            500.. => "internal",
            _ => "invalid_request",
        };
        let detail = "The request is not what HTTP or this server allows.";
        let mut problem = Problem::new(status, code, detail).into_response();
        for (name, value) in response.headers() {
            if ![CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
                problem.headers_mut().insert(name, value.clone());
            }
        }
        problem
    } else {
        response
    };
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Answers for a handler that panicked.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands over a box")]
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("?"), "a request failed");
    Problem::internal().into_response()
}

/// Refuses what the pages of other sites ask for, unless they are allowed by name. A program that
/// is no browser sends no `Origin`; pages of the chat server come from the same host.
pub(super) async fn from_our_pages(
    State(transfers): State<Arc<Transfers>>,
    request: Request,
    next: Next,
) -> Response {
    let allowed = &transfers.policy.allowed_origins;
    match request.headers().get(ORIGIN) {
        Some(origin) if !is_ours(origin, request.headers(), request.uri(), allowed) => {
            let detail =
                "A web page of another site asked, and the server does not allow that site.";
            Problem::new(StatusCode::FORBIDDEN, "foreign_origin", detail).into_response()
        }
        _ => next.run(request).await,
    }
}

/// Lets our pages read the answers. Tokens travel in a header that a script has to set, never in
/// cookies, so credentials are not allowed.
pub(super) fn cors(transfers: &Arc<Transfers>) -> CorsLayer {
    let allowed = transfers.policy.allowed_origins.clone();
    let may = move |origin: &HeaderValue, parts: &Parts| {
        is_ours(origin, &parts.headers, &parts.uri, &allowed)
    };
    let exposed: Vec<HeaderName> = EXPOSED
        .iter()
        .map(|name| HeaderName::from_static(name))
        .collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(may))
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers(allowed_headers())
        .expose_headers(exposed)
}

/// What a page may send. `*` would leave `Authorization` out.
fn allowed_headers() -> Vec<HeaderName> {
    let names = [
        "authorization",
        "content-digest",
        "content-disposition",
        "content-type",
        "if-match",
        "if-none-match",
        "if-range",
        "prefer",
        "range",
        "traceparent",
        "tus-resumable",
        "upload-checksum",
        "upload-concat",
        "upload-defer-length",
        "upload-length",
        "upload-metadata",
        "upload-offset",
        "x-http-method-override",
        "x-request-id",
        "x-requested-with",
    ];
    names
        .iter()
        .map(|name| HeaderName::from_static(name))
        .collect()
}

/// Whether a page comes from the host where the request goes to, from any port, or is allowed by
/// name. The scheme is not compared: a proxy in front of this server may have taken the TLS off.
fn is_ours(origin: &HeaderValue, headers: &HeaderMap, uri: &Uri, allowed: &Origins) -> bool {
    let by_name = |allowed: &str| origin.as_bytes().eq_ignore_ascii_case(allowed.as_bytes());
    if allowed.iter().any(by_name) {
        return true;
    }
    let asked = match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(HOST).and_then(|host| host.to_str().ok()),
    };
    let page = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .filter(|(scheme, _)| ["http", "https"].contains(scheme))
        .map(|(_, authority)| authority);
    let host = |authority: &str| {
        let authority: Authority = authority.parse().ok()?;
        Some(authority.host().to_ascii_lowercase())
    };
    let (page, asked) = (page.and_then(host), asked.and_then(host));
    page.is_some() && page == asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_same_host_are_ours_whatever_their_port() {
        let allowed = "https://chat.example".parse().unwrap();
        let is_ours = |origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("files.example:20001"));
            is_ours(
                &HeaderValue::from_str(origin).unwrap(),
                &headers,
                &Uri::from_static("/files"),
                &allowed,
            )
        };
        for ours in [
            "http://files.example:20001",
            "https://Files.example:20000",
            "http://files.example",
            "https://chat.example",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for foreign in [
            "null",
            "http://chat.example",
            "http://evil.example:20001",
            "http://files.example.evil.example",
            "http://evil.example/?http://files.example",
            "file://files.example:20001",
        ] {
            assert!(!is_ours(foreign), "{foreign}");
        }
    }
}
