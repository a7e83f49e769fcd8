//! What a request goes to, as the client calls it.

use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};

/// A host, maybe with a port; whatever the client says.
pub(super) fn authority<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Option<&'r str> {
    match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(HOST)?.to_str().ok(),
    }
}

/// The host, maybe with a port; nothing if what the client says is none.
pub fn place<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Option<&'r str> {
    let asked = authority(headers, uri)?;
    // The grammar of hosts lets in more than any name or number has, and what stands before an @ is
    // a password, and nobody is told those.
    let is_place = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let is_host = Authority::try_from(asked).is_ok_and(|parsed| !parsed.host().is_empty());
    (is_host && asked.bytes().all(is_place)).then_some(asked)
}

/// The host without its port; nothing if what the client says is none.
pub fn host<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Option<&'r str> {
    let place = place(headers, uri)?;
    let host = Authority::try_from(place).ok()?.host().len();
    place.get(..host)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_host_is_told_with_and_without_its_port() {
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(text));
            let uri = Uri::from_static("/");
            let own = |text: Option<&str>| text.map(str::to_owned);
            (own(place(&headers, &uri)), own(host(&headers, &uri)))
        };
        for (text, name) in [
            ("chat.example:20000", "chat.example"),
            ("localhost", "localhost"),
            ("10.0.0.7:80", "10.0.0.7"),
            ("[::1]:20000", "[::1]"),
        ] {
            let found = (Some(text.to_owned()), Some(name.to_owned()));
            assert_eq!(read(text), found, "{text}");
        }
        for wrong in [
            "",
            ":20000",
            "a b",
            "a;b",
            "a,b",
            "*",
            "ann:secret@a",
            "a/b",
            "'self'",
        ] {
            assert_eq!(read(wrong), (None, None), "{wrong}");
        }
        let absolute = Uri::from_static("http://chat.example:1/x");
        assert_eq!(host(&HeaderMap::new(), &absolute), Some("chat.example"));
    }
}
