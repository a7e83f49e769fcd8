//! The span in which a request is worked on, and the number under which it stands in the log.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

/// How the caller's trace is named, as in the W3C's recommendation.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Under which number the request stands in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives every request a span with the trace it belongs to: the caller's, or a new one.
pub async fn traced(request: Request, next: Next) -> Response {
    in_span(request, |request| next.run(request)).await
}

/// The same around an `answer` that is no layer.
pub async fn in_span<Answer>(request: Request, answer: impl FnOnce(Request) -> Answer) -> Response
where
    Answer: Future<Output = Response>,
{
    let trace = trace_of(request.headers()).unwrap_or_else(|| Uuid::new_v4().simple().to_string());
    // The route and not the path: paths name files and hold the secrets of webhooks, and queries
    // hold signatures and what people search for.
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("-", MatchedPath::as_str);
    let span = tracing::info_span!("request", %trace, method = %request.method(), route);
    let began = Instant::now();
    let mut response = async {
        let response = answer(request).await;
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

#[cfg(test)]
mod tests {
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
}
