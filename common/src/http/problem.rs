//! Problem details, RFC 9457, as they are answered: what goes around them, and where nobody said
//! anything.
//!
//! Knows neither codes nor words; each server has its own.

use std::any::Any;

use axum::http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// How long a client should leave a database alone that does not answer, in seconds.
pub const STORE_RETRY_AFTER_S: u64 = 2;

/// The answer with these details, and with the headers that say the same.
pub fn answer(status: StatusCode, details: &impl Serialize, retry_after: Option<u64>) -> Response {
    let body = serde_json::to_vec(details).unwrap_or_default();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    if let Some(seconds) = retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Gives an error that nobody explained the body of `problem`, and every answer the header that
/// keeps browsers from guessing.
pub fn explained(response: Response, problem: impl FnOnce(StatusCode) -> Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(CONTENT_TYPE);
    let is_problem = kind.is_some_and(|kind| kind == PROBLEM_JSON);
    let mut response = if is_error && !is_problem {
        let mut problem = problem(status);
        // The status stays what it was: the WebSocket handshake has some of its own, like 426.
        *problem.status_mut() = status;
        for (name, value) in response.headers() {
            if ![CONTENT_TYPE, CONTENT_LENGTH].contains(name) {
                problem.headers_mut().insert(name, value.clone());
            }
        }
        problem
    } else {
        response
    };
    let no_guessing = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, no_guessing);
    response
}

/// Notes in the log why a handler panicked.
pub fn note_panic(panic: &(dyn Any + Send)) {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("?"), "a request failed");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_words_gets_some_and_keeps_the_rest() {
        let problem = |status| answer(status, &"words", Some(7));
        let mut bare = StatusCode::UPGRADE_REQUIRED.into_response();
        bare.headers_mut()
            .insert("upgrade", HeaderValue::from_static("websocket"));
        let told = explained(bare, |_| problem(StatusCode::BAD_REQUEST));
        assert_eq!(told.status(), StatusCode::UPGRADE_REQUIRED);
        assert_eq!(told.headers()["upgrade"], "websocket");
        assert_eq!(told.headers()[CONTENT_TYPE], PROBLEM_JSON);
        assert_eq!(told.headers()[RETRY_AFTER], "7");
        assert_eq!(told.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        let own = explained(told, |_| panic!("it has words"));
        assert_eq!(own.status(), StatusCode::UPGRADE_REQUIRED);
        let well = explained(StatusCode::OK.into_response(), |_| panic!("it is no error"));
        assert_eq!(well.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        let stranger = problem(StatusCode::UNAUTHORIZED);
        assert_eq!(stranger.headers()[WWW_AUTHENTICATE], "Bearer");
    }
}
