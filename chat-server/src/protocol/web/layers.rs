//! What happens to every request around its handler: tracing, origin, rate, time, errors.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    self, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ORIGIN, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use common::config::Origins;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::Instrument;
use uuid::Uuid;

use super::problem::{PROBLEM_JSON, Problem};
use super::router::WebState;
use super::{asked, code, extract};
use crate::rates::Class;

/// How long a request may take. More than a batch is tried again while the database is away.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a request may take that waits for something to happen: 60 s, and the time to answer.
const WAITING_TIME_MAX: Duration = Duration::from_secs(90);
/// The route that waits.
const WAITING_PATH: &str = "/api/v1/sync";

/// Where incoming webhooks stand.
const HOOKS: &str = "/api/v1/hooks/";

/// How the caller's trace is named, as in the W3C's recommendation.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Under which number the request stands in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives every request a span with the trace it belongs to: the caller's, or a new one.
pub(super) async fn traced(request: Request, next: Next) -> Response {
    let trace = trace_of(request.headers()).unwrap_or_else(|| Uuid::now_v7().simple().to_string());
    // The route and not the path: paths hold ids and the secrets of webhooks, and queries hold what
    // people search for.
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("-", MatchedPath::as_str);
    let span = tracing::info_span!("request", %trace, method = %request.method(), route);
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
    if let Ok(trace) = HeaderValue::try_from(trace) {
        response.headers_mut().insert(REQUEST_ID, trace);
    }
    response
}

/// The trace id of `00-<trace>-<parent>-<flags>`.
fn trace_of(headers: &HeaderMap) -> Option<String> {
    let mut parts = headers.get(TRACEPARENT)?.to_str().ok()?.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let is_good = is_hex(version, 2)
        && version != "ff"
        && is_hex(trace, 32)
        && trace.bytes().any(|digit| digit != b'0')
        && is_hex(parent, 16)
        && is_hex(flags, 2);
    is_good.then(|| trace.to_owned())
}

/// Gives errors that nobody explained a body, and every answer the headers that keep browsers
/// from guessing and from keeping it.
pub(super) async fn explained(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_problem = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == PROBLEM_JSON);
    let mut response = if is_error && !is_problem {
        let mut problem = Problem::of_status(status).into_response();
        // The status stays what it was: the WebSocket handshake has some of its own, like 426.
        *problem.status_mut() = status;
        for (name, value) in response.headers() {
            if ![CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
                problem.headers_mut().insert(name, value.clone());
            }
        }
        problem
    } else {
        response
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
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
    Problem::from(code::INTERNAL).into_response()
}

/// Refuses what the pages of other sites ask for, unless they are allowed by name. A program
/// that is no browser sends no `Origin`.
pub(super) async fn from_our_pages(
    State(state): State<WebState>,
    request: Request,
    next: Next,
) -> Response {
    let Some(origin) = request.headers().get(ORIGIN) else {
        return next.run(request).await;
    };
    let allowed = &state.app.config.api.allowed_origins;
    if is_own(origin, request.headers(), request.uri()) || is_allowed(origin, allowed) {
        next.run(request).await
    } else {
        Problem::from(code::FOREIGN_ORIGIN).into_response()
    }
}

/// Whether a page comes from where the request goes to. The scheme is not compared: a proxy in
/// front of this server may have taken the TLS off.
fn is_own(origin: &HeaderValue, headers: &HeaderMap, uri: &Uri) -> bool {
    let asked = asked::authority(headers, uri);
    let page = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .filter(|(scheme, _)| ["http", "https"].contains(scheme))
        .map(|(_, authority)| authority);
    page.zip(asked)
        .is_some_and(|(page, asked)| page.eq_ignore_ascii_case(asked))
}

fn is_allowed(origin: &HeaderValue, allowed: &Origins) -> bool {
    let mut allowed = allowed.iter();
    allowed.any(|allowed| origin.as_bytes().eq_ignore_ascii_case(allowed.as_bytes()))
}

/// Lets pages of the allowed sites read the answers. Tokens travel in a header that a script has
/// to set, never in cookies, so credentials are not allowed.
pub(super) fn cors(
    allowed: &Origins,
) -> tower::util::Either<CorsLayer, tower::layer::util::Identity> {
    let origins: Vec<HeaderValue> = allowed
        .iter()
        .filter_map(|origin| HeaderValue::try_from(origin).ok())
        .collect();
    let layer = (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([
                Method::GET,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            .allow_headers([AUTHORIZATION, CONTENT_TYPE, TRACEPARENT])
            .expose_headers([header::RETRY_AFTER, REQUEST_ID])
    });
    tower::util::option_layer(layer)
}

/// Counts the request against what its address may do, and notes its class for the account's
/// own count.
pub(super) async fn within_rate(
    State(state): State<WebState>,
    mut request: Request,
    next: Next,
) -> Response {
    let class = class_of(request.method(), request.uri().path());
    let address = match extract::client_address(request.extensions()) {
        Ok(address) => address,
        Err(problem) => return problem.into_response(),
    };
    if let Err(wait) = state.app.rates.take_of_address(class, address) {
        return Problem::from(code::RATE_LIMITED)
            .after(wait)
            .into_response();
    }
    request.extensions_mut().insert(class);
    next.run(request).await
}

/// What kind of call it is.
fn class_of(method: &Method, path: &str) -> Class {
    let signs_in = ["/api/v1/sessions", "/api/v1/users"].contains(&path);
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS => match path {
            "/api/v1/search" => Class::Search,
            _ => Class::Read,
        },
        Method::POST if signs_in => Class::SignIn,
        Method::POST if path.ends_with("/messages") || path.starts_with(HOOKS) => Class::Send,
        _ => Class::Write,
    }
}

/// Ends a request that takes too long.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    let limit = match request.uri().path() {
        WAITING_PATH => WAITING_TIME_MAX,
        _ => REQUEST_TIME_MAX,
    };
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::from(code::TIMED_OUT)
            .after(Duration::from_secs(1))
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::HOST;

    use super::*;

    #[test]
    fn a_trace_is_taken_over_only_if_it_is_one() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(TRACEPARENT, HeaderValue::from_str(text).unwrap());
            trace_of(&headers)
        };
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let given = format!("00-{trace}-00f067aa0ba902b7-01");
        assert_eq!(read(&given).as_deref(), Some(trace));
        assert_eq!(read(&given.to_uppercase()), None);
        assert_eq!(read(&given.replace(trace, &"0".repeat(32))), None);
        assert_eq!(read(&given.replace("00-4", "ff-4")), None);
        assert_eq!(read("00-4bf9-00f0-01"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn own_pages_are_told_from_foreign_ones() {
        let is_own = |origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("chat.example:20000"));
            is_own(
                &HeaderValue::from_str(origin).unwrap(),
                &headers,
                &Uri::from_static("/api/v1/ws"),
            )
        };
        assert!(is_own("http://chat.example:20000"));
        assert!(is_own("https://Chat.example:20000"));
        for foreign in [
            "null",
            "http://chat.example",
            "http://chat.example:20000.evil.example",
            "http://evil.example:20000",
            "file://chat.example:20000",
        ] {
            assert!(!is_own(foreign), "{foreign}");
        }
    }

    #[test]
    fn calls_have_classes() {
        assert_eq!(class_of(&Method::GET, "/api/v1/users"), Class::Read);
        assert_eq!(class_of(&Method::POST, "/api/v1/users"), Class::SignIn);
        assert_eq!(class_of(&Method::POST, "/api/v1/sessions"), Class::SignIn);
        assert_eq!(class_of(&Method::GET, "/api/v1/search"), Class::Search);
        let messages = "/api/v1/conversations/7/messages";
        assert_eq!(class_of(&Method::POST, messages), Class::Send);
        let hook = "/api/v1/hooks/7/x";
        assert_eq!(class_of(&Method::POST, hook), Class::Send);
        assert_eq!(class_of(&Method::DELETE, "/api/v1/blocks/7"), Class::Write);
    }
}
