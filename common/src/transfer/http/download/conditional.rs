//! Whether the conditions of a request hold: RFC 9110, section 13.
//!
//! What an address stands for never changes, so that its ETag is the hash of the content and both
//! it and the time are strong.

use axum::http::HeaderMap;
use axum::http::header::IF_RANGE;
use headers::{
    ETag, HeaderMapExt, IfMatch, IfModifiedSince, IfNoneMatch, IfUnmodifiedSince, LastModified,
};

use crate::http::entity_tags;

/// The two marks of a state of a file.
#[derive(Clone, Debug)]
pub(super) struct Validators {
    pub(super) etag: ETag,
    pub(super) modified: LastModified,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Answer,
    /// The client has it already.
    NotModified,
    /// The client wants something else than there is.
    Failed,
}

impl Validators {
    /// In the order of section 13.2.2: an ETag is asked before the time, which is coarser.
    pub(super) fn judge(&self, headers: &HeaderMap) -> Verdict {
        let modified = self.modified.into();
        let holds = match entity_tags::<IfMatch>(headers) {
            Some(tags) => tags.precondition_passes(&self.etag),
            None => headers
                .typed_get::<IfUnmodifiedSince>()
                .is_none_or(|since| since.precondition_passes(modified)),
        };
        if !holds {
            return Verdict::Failed;
        }
        let is_news = match entity_tags::<IfNoneMatch>(headers) {
            Some(tags) => tags.precondition_passes(&self.etag),
            None => headers
                .typed_get::<IfModifiedSince>()
                .is_none_or(|since| since.is_modified(modified)),
        };
        match is_news {
            true => Verdict::Answer,
            false => Verdict::NotModified,
        }
    }

    /// Whether a part of this state fits to what the client has. Section 13.1.5: strong comparison
    /// of an ETag, and a time must be the very same. Without the header every part fits.
    pub(super) fn continues(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(IF_RANGE).iter();
        let Some(value) = values.next() else {
            return true;
        };
        let same = |known: headers::HeaderValue| known == *value;
        let mut fits = false;
        for known in [encoded(&self.etag), encoded(&self.modified)] {
            fits |= known.is_some_and(same);
        }
        fits && values.next().is_none()
    }
}

fn encoded(header: &impl headers::Header) -> Option<headers::HeaderValue> {
    let mut values = Vec::with_capacity(1);
    header.encode(&mut values);
    values.pop()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    /// `"aa"`, and the example of RFC 9110.
    fn here() -> Validators {
        let modified = UNIX_EPOCH + Duration::from_secs(784_111_777);
        Validators {
            etag: "\"aa\"".parse().unwrap(),
            modified: modified.into(),
        }
    }

    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&str, &str)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(line) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn conditions() {
        use Verdict::{Answer, Failed, NotModified};
        const MATCH: &str = "if-match";
        const NONE: &str = "if-none-match";
        const MODIFIED: &str = "if-modified-since";
        const UNMODIFIED: &str = "if-unmodified-since";
        let cases: &[(&[(&str, &str)], Verdict)] = &[
            (&[], Answer),
            (&[(NONE, "\"aa\"")], NotModified),
            (&[(NONE, "W/\"aa\"")], NotModified),
            (&[(NONE, "\"b\", \"aa\"")], NotModified),
            (&[(NONE, "\"b\""), (NONE, "\"aa\"")], NotModified),
            (&[(NONE, "*")], NotModified),
            (&[(NONE, "\"b\"")], Answer),
            (&[(NONE, "\"b,aa\"")], Answer),
            (&[(NONE, "aa")], Answer),
            (&[(NONE, "")], Answer),
            (&[(MATCH, "\"aa\"")], Answer),
            (&[(MATCH, "*")], Answer),
            (&[(MATCH, "\"b\", \"aa\"")], Answer),
            (&[(MATCH, "W/\"aa\"")], Failed),
            (&[(MATCH, "\"b\"")], Failed),
            (&[(MATCH, "aa")], Failed),
            (&[(MODIFIED, BEFORE)], Answer),
            (&[(MODIFIED, SAME)], NotModified),
            (&[(MODIFIED, AFTER)], NotModified),
            (&[(MODIFIED, "yesterday")], Answer),
            (&[(UNMODIFIED, BEFORE)], Failed),
            (&[(UNMODIFIED, SAME)], Answer),
            (&[(UNMODIFIED, AFTER)], Answer),
            (&[(UNMODIFIED, "yesterday")], Answer),
            // The ETag is asked first.
            (&[(NONE, "\"b\""), (MODIFIED, SAME)], Answer),
            (&[(NONE, "\"aa\""), (MODIFIED, BEFORE)], NotModified),
            (&[(MATCH, "\"aa\""), (UNMODIFIED, BEFORE)], Answer),
            (&[(MATCH, "\"b\""), (NONE, "\"aa\"")], Failed),
            (&[(MATCH, "\"aa\""), (NONE, "\"aa\"")], NotModified),
        ];
        for (lines, verdict) in cases {
            assert_eq!(here().judge(&headers(lines)), *verdict, "{lines:?}");
        }
    }

    #[test]
    fn a_part_fits_only_to_the_same_state() {
        for (value, fits) in [
            ("\"aa\"", true),
            ("W/\"aa\"", false),
            ("\"b\"", false),
            ("\"b\", \"aa\"", false),
            ("*", false),
            (SAME, true),
            (BEFORE, false),
            (AFTER, false),
            ("", false),
        ] {
            assert_eq!(
                here().continues(&headers(&[("if-range", value)])),
                fits,
                "{value}"
            );
        }
        assert!(here().continues(&headers(&[])));
        let twice = headers(&[("if-range", "\"aa\""), ("if-range", "\"aa\"")]);
        assert!(!here().continues(&twice));
    }
}
