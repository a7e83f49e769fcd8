//! The entity-tags of a condition: RFC 9110, section 8.8.3.

use std::iter;

use axum::http::{HeaderMap, HeaderValue};
use headers::{Header, HeaderMapExt};

/// What `If-Match` or `If-None-Match` says, if it is there.
///
/// A tag must not have blanks in it, and the library that reads them takes one for a mistake of ours:
/// built for development, it panics. Such a header is read as one that has no tag of anything.
pub fn entity_tags<H: Header>(headers: &HeaderMap) -> Option<H> {
    if headers.get_all(H::name()).iter().any(is_malformed) {
        return H::decode(&mut iter::once(&HeaderValue::from_static("-"))).ok();
    }
    headers.typed_get()
}

/// Whether anything between quotes cannot be in a tag, or a quote is never closed.
fn is_malformed(value: &HeaderValue) -> bool {
    let of_a_tag = |byte: &u8| matches!(byte, b'!' | b'#'..=b'~' | 0x80..);
    let parts = || value.as_bytes().split(|byte| *byte == b'"');
    let mut quoted = parts().skip(1).step_by(2);
    parts().count() % 2 == 0 || quoted.any(|tag| !tag.iter().all(of_a_tag))
}

#[cfg(test)]
mod tests {
    use headers::{ETag, IfMatch, IfNoneMatch};

    use super::*;

    #[test]
    fn what_is_no_tag_matches_nothing_and_does_no_harm() {
        let here: ETag = "\"aa\"".parse().unwrap();
        for (values, matches) in [
            (&["\"aa\""][..], true),
            (&["\"b,c\", \"aa\""], true),
            (&["W/\"b\"", "\"aa\""], true),
            (&["*"], true),
            (&["\" \""], false),
            (&["W/\"a b\""], false),
            (&["\"\t\", \"aa\""], false),
            (&["\"a", "b\""], false),
            (&["\"a\" \"b\""], false),
            (&["aa"], false),
            (&[""], false),
        ] {
            let mut headers = HeaderMap::new();
            for name in ["if-match", "if-none-match"] {
                for value in values {
                    headers.append(name, HeaderValue::from_static(value));
                }
            }
            let wanted: IfMatch = entity_tags(&headers).unwrap();
            assert_eq!(wanted.precondition_passes(&here), matches, "{values:?}");
            let known: IfNoneMatch = entity_tags(&headers).unwrap();
            assert_eq!(known.precondition_passes(&here), !matches, "{values:?}");
        }
        assert!(entity_tags::<IfMatch>(&HeaderMap::new()).is_none());
    }
}
