//! What happens to every request around its handler: origin, rate, time, errors. What servers have in
//! common of it stands in `common::http`.

use std::any::Any;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{self, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use common::config::Origins;
use common::http::origin::{self, Own};
use common::http::{REQUEST_ID, TRACEPARENT, problem};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::problem::Problem;
use super::router::WebState;
use super::{code, extract};
use crate::rates::Class;

/// How long a request may take. More than a batch is tried again while the database is away.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a request may take that waits for something to happen: 60 s, and the time to answer.
const WAITING_TIME_MAX: Duration = Duration::from_secs(90);
/// The route that waits.
const WAITING_PATH: &str = "/api/v1/sync";

/// Where incoming webhooks stand.
const HOOKS: &str = "/api/v1/hooks/";

/// Gives errors that nobody explained a body, and every answer the headers that keep browsers
/// from guessing and from keeping it.
pub(super) async fn explained(response: Response) -> Response {
    let problem = |status| Problem::of_status(status).into_response();
    let mut response = problem::explained(response, problem);
    let headers = response.headers_mut();
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
    problem::note_panic(&*panic);
    Problem::from(code::INTERNAL).into_response()
}

/// Refuses what the pages of other sites ask for, unless they are allowed by name. A program
/// that is no browser sends no `Origin`.
pub(super) async fn from_our_pages(
    State(state): State<WebState>,
    request: Request,
    next: Next,
) -> Response {
    let allowed = &state.app.config.api.allowed_origins;
    if origin::is_foreign(request.headers(), request.uri(), Own::SamePort, allowed) {
        return Problem::from(code::FOREIGN_ORIGIN).into_response();
    }
    next.run(request).await
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
    use super::*;

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
