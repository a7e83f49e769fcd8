//! What happens to every request around its handler: foreign pages, errors. What servers have in
//! common of it stands in `crate::http`.

use std::any::Any;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::problem::Problem;
use super::tus;
use crate::http::in_span;
use crate::http::origin::{self, Own};
use crate::http::problem;
use crate::transfer::Transfers;

/// Pages of the chat server are ours too: they come from the same host and another port.
const OWN: Own = Own::AnyPort;

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

/// Everything that is ours around a request. One layer: each is some allocations for every request,
/// and a small file costs little more than these.
pub(super) async fn around(
    State(transfers): State<Arc<Transfers>>,
    request: Request,
    next: Next,
) -> Response {
    let answer = |request| async move {
        let response = from_our_pages(&transfers, request, next).await;
        explained(response)
    };
    in_span(request, answer).await
}

/// Gives errors that nobody explained a body.
fn explained(response: Response) -> Response {
    problem::explained(response, |status| {
        let code = match status.as_u16() {
            500.. => "internal",
            _ => "invalid_request",
        };
        let detail = "The request is not what HTTP or this server allows.";
        Problem::new(status, code, detail).into_response()
    })
}

/// Answers for a handler that panicked.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands over a box")]
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    problem::note_panic(&*panic);
    Problem::internal().into_response()
}

/// Refuses what the pages of other sites ask for, unless they are allowed by name. A program that
/// is no browser sends no `Origin`; pages of the chat server come from the same host.
async fn from_our_pages(transfers: &Transfers, request: Request, next: Next) -> Response {
    let allowed = &transfers.policy.allowed_origins;
    if origin::is_foreign(request.headers(), request.uri(), OWN, allowed) {
        let detail = "A web page of another site asked, and the server does not allow that site.";
        return Problem::new(StatusCode::FORBIDDEN, "foreign_origin", detail).into_response();
    }
    let is_asked = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if is_asked && response.status().is_success() {
        tus::tell_abilities(transfers, response.headers_mut());
    }
    response
}

/// Lets our pages read the answers. Tokens travel in a header that a script has to set, never in
/// cookies, so credentials are not allowed.
pub(super) fn cors(transfers: &Arc<Transfers>) -> CorsLayer {
    let allowed = transfers.policy.allowed_origins.clone();
    let may = move |origin: &HeaderValue, parts: &Parts| {
        origin::is_ours(origin, &parts.headers, &parts.uri, OWN, &allowed)
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
