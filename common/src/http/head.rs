//! What the head of every request must be, whatever is asked for; the library leaves it to us.

use axum::body::Body;
use axum::http::header::{CONNECTION, EXPECT, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};

/// Why nobody looks at a request, if that is so.
pub(super) fn fault<B>(request: &Request<B>) -> Option<StatusCode> {
    let headers = request.headers();
    if !names_its_host(headers, request.version()) {
        return Some(StatusCode::BAD_REQUEST);
    }
    let is_unknown = |what: &HeaderValue| !what.as_bytes().eq_ignore_ascii_case(b"100-continue");
    let expects = headers.get_all(EXPECT).iter().any(is_unknown);
    expects.then_some(StatusCode::EXPECTATION_FAILED)
}

/// Whether two programs that look for the host of this request find the same one (RFC 9112,
/// section 3.2): exactly one, and since HTTP/2 it stands elsewhere.
fn names_its_host(headers: &HeaderMap, version: Version) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version != Version::HTTP_11,
        (Some(host), None) => host.is_empty() || is_host(host),
        (Some(_), Some(_)) => false,
    }
}

fn is_host(value: &HeaderValue) -> bool {
    let host = value.to_str().ok().map(str::parse::<Authority>);
    matches!(host, Some(Ok(host)) if !host.as_str().contains('@'))
}

/// The answer: short, as the library's own are, and the last one of its connection.
pub(super) fn refusal(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(version: Version, headers: &[(&str, &str)]) -> Option<u16> {
        let mut request = Request::get("/").version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        fault(&request.body(()).unwrap()).map(|status| status.as_u16())
    }

    #[test]
    fn a_request_names_one_host() {
        let v1 = |headers: &[_]| asked(Version::HTTP_11, headers);
        for good in [
            "",
            "localhost",
            "localhost:20000",
            "[::1]:20000",
            "a.example",
            "1.2.3.4",
        ] {
            assert_eq!(v1(&[("host", good)]), None, "{good:?}");
        }
        for bad in ["a b", "a/b", "me@a.example", "a,b c", "http://a"] {
            assert_eq!(v1(&[("host", bad)]), Some(400), "{bad:?}");
        }
        assert_eq!(v1(&[]), Some(400));
        assert_eq!(v1(&[("host", "a"), ("host", "a")]), Some(400));
        assert_eq!(asked(Version::HTTP_10, &[]), None);
        assert_eq!(asked(Version::HTTP_2, &[]), None);
        assert_eq!(
            asked(Version::HTTP_2, &[("host", "a"), ("host", "b")]),
            Some(400)
        );
    }

    #[test]
    fn nothing_is_expected_but_to_go_on() {
        let expecting = |what| asked(Version::HTTP_11, &[("host", "a"), ("expect", what)]);
        assert_eq!(expecting("100-continue"), None);
        assert_eq!(expecting("100-Continue"), None);
        assert_eq!(expecting("200-ok"), Some(417));
    }
}
