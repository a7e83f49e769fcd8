//! Which web pages may ask: those of the server itself, and those of sites that are allowed by name.
//!
//! A program that is no browser sends no `Origin`, and may.

use axum::http::header::ORIGIN;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri};

use super::asked;
use crate::config::Origins;

/// When a page is the server's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// It comes from the host and the port where the request goes to.
    SamePort,
    /// It comes from the host, whatever its port.
    AnyPort,
}

/// Whether a page of another site asks, which nobody allowed.
pub fn is_foreign(headers: &HeaderMap, uri: &Uri, own: Own, allowed: &Origins) -> bool {
    let origin = headers.get(ORIGIN);
    origin.is_some_and(|origin| !is_ours(origin, headers, uri, own, allowed))
}

/// Whether a page of this origin may ask.
pub fn is_ours(
    origin: &HeaderValue,
    headers: &HeaderMap,
    uri: &Uri,
    own: Own,
    allowed: &Origins,
) -> bool {
    let by_name = |allowed: &str| origin.as_bytes().eq_ignore_ascii_case(allowed.as_bytes());
    allowed.iter().any(by_name) || is_own(origin, headers, uri, own)
}

/// The scheme is not compared: a proxy in front of this server may have taken the TLS off.
fn is_own(origin: &HeaderValue, headers: &HeaderMap, uri: &Uri, own: Own) -> bool {
    let page = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .filter(|(scheme, _)| ["http", "https"].contains(scheme))
        .map(|(_, authority)| authority);
    let Some((page, asked)) = page.zip(asked::authority(headers, uri)) else {
        return false;
    };
    let host = |authority: &str| {
        let authority: Authority = authority.parse().ok()?;
        Some(authority.host().to_ascii_lowercase())
    };
    match own {
        Own::SamePort => page.eq_ignore_ascii_case(asked),
        Own::AnyPort => host(page).is_some_and(|page| Some(page) == host(asked)),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::HOST;

    use super::*;

    /// Whether pages of `origin` are ours where the request goes to `host`.
    fn ours(origin: &str, host: &'static str, own: Own) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static(host));
        headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        let allowed = "https://chat.example".parse().unwrap();
        !is_foreign(&headers, &Uri::from_static("/files"), own, &allowed)
    }

    #[test]
    fn pages_of_the_same_host_are_ours_whatever_their_port() {
        let ours = |origin| ours(origin, "files.example:20001", Own::AnyPort);
        for own in [
            "http://files.example:20001",
            "https://Files.example:20000",
            "http://files.example",
            "https://chat.example",
        ] {
            assert!(ours(own), "{own}");
        }
        for foreign in [
            "null",
            "http://chat.example",
            "http://evil.example:20001",
            "http://files.example.evil.example",
            "http://evil.example/?http://files.example",
            "file://files.example:20001",
        ] {
            assert!(!ours(foreign), "{foreign}");
        }
    }

    #[test]
    fn own_pages_are_told_from_foreign_ones() {
        let ours = |origin| ours(origin, "api.example:20000", Own::SamePort);
        assert!(ours("http://api.example:20000"));
        assert!(ours("https://Api.example:20000"));
        assert!(ours("https://chat.example"));
        for foreign in [
            "null",
            "http://api.example",
            "http://api.example:20000.evil.example",
            "http://evil.example:20000",
            "file://api.example:20000",
        ] {
            assert!(!ours(foreign), "{foreign}");
        }
    }

    #[test]
    fn who_is_no_page_may_ask() {
        let (headers, uri) = (HeaderMap::new(), Uri::from_static("/"));
        let nobody = Origins::default();
        assert!(!is_foreign(&headers, &uri, Own::SamePort, &nobody));
    }
}
