//! Reads the numbers and choices that tus clients write into headers, and writes ours.

use std::time::{Duration, UNIX_EPOCH};

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{UPLOAD_CHECKSUM, UPLOAD_DEFER_LENGTH, UPLOAD_LENGTH};
use crate::blob::Checksum;
use crate::id::Millis;
use crate::transfer::http::problem::Problem;

/// The media type of content.
const OFFSET_STREAM: &str = "application/offset+octet-stream";

pub(super) fn bad(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
}

/// A header that stands at most once.
pub(super) fn text<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(bad(format!("The header {name} stands there twice.")));
    }
    let text = value.to_str();
    text.map(Some)
        .map_err(|_| bad(format!("The header {name} is no plain text.")))
}

/// A header that is a whole number: digits and nothing else.
pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Problem> {
    let Some(text) = text(headers, name)? else {
        return Ok(None);
    };
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number);
    let wrong = || bad(format!("The header {name} is no whole number."));
    number.map(Some).ok_or_else(wrong)
}

/// How long the whole upload will be; `None` if the client does not know yet.
pub(super) fn length(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let length = number(headers, &UPLOAD_LENGTH)?;
    let defers = text(headers, &UPLOAD_DEFER_LENGTH)?;
    match (length, defers) {
        (Some(length), None) => Ok(Some(length)),
        (None, Some("1")) => Ok(None),
        (None, Some(_)) => Err(bad("Upload-Defer-Length can only be 1.")),
        (None, None) => Err(bad(
            "Either Upload-Length or Upload-Defer-Length is needed.",
        )),
        (Some(_), Some(_)) => Err(bad(
            "Upload-Length and Upload-Defer-Length exclude each other.",
        )),
    }
}

/// Whether the body is content of the upload.
pub(super) fn is_content(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(OFFSET_STREAM))
}

pub(super) fn wrong_type() -> Problem {
    let detail = "Content must be declared as application/offset+octet-stream.";
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Problem::new(status, "unsupported_media_type", detail)
}

/// By which sum the body is to be checked, and what it must be.
pub(super) fn checksum(headers: &HeaderMap) -> Result<Option<(Checksum, Vec<u8>)>, Problem> {
    let Some(text) = text(headers, &UPLOAD_CHECKSUM)? else {
        return Ok(None);
    };
    let (name, value) = text
        .split_once(' ')
        .ok_or_else(|| bad("Upload-Checksum is the name of a sum and its value in base64."))?;
    let sum = Checksum::named(name)
        .ok_or_else(|| bad(format!("The known checksums are {}.", Checksum::NAMES)))?;
    let value = BASE64.decode(value.trim()).ok();
    let value = value.filter(|value| value.len() == sum.len());
    let wrong = || bad("The value of Upload-Checksum is not base64, or too short or long.");
    value.map(|value| Some((sum, value))).ok_or_else(wrong)
}

/// A moment as HTTP writes it.
pub(super) fn date(at: Millis) -> HeaderValue {
    let since_1970 = Duration::from_millis(u64::try_from(at.0).unwrap_or(0));
    let text = httpdate::fmt_http_date(UNIX_EPOCH + since_1970);
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn numbers_are_digits() {
        let read = |value: &str| number(&headers(&[("upload-length", value)]), &UPLOAD_LENGTH);
        assert_eq!(read("0").unwrap(), Some(0));
        assert_eq!(read("18446744073709551615").unwrap(), Some(u64::MAX));
        for wrong in [
            "",
            "-1",
            "+1",
            "abc",
            "1e3",
            "1 ",
            "0x1",
            "18446744073709551616",
            "1,1",
        ] {
            assert_eq!(read(wrong).unwrap_err().status, 400, "{wrong:?}");
        }
        let twice = headers(&[("upload-length", "1"), ("upload-length", "1")]);
        assert_eq!(number(&twice, &UPLOAD_LENGTH).unwrap_err().status, 400);
    }

    #[test]
    fn a_length_is_known_or_deferred() {
        let read = |lines: &[(&'static str, &str)]| length(&headers(lines)).ok();
        assert_eq!(read(&[("upload-length", "7")]), Some(Some(7)));
        assert_eq!(read(&[("upload-defer-length", "1")]), Some(None));
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[("upload-defer-length", "2")]), None);
        let both = [("upload-length", "7"), ("upload-defer-length", "1")];
        assert_eq!(read(&both), None);
    }

    #[test]
    fn a_checksum_has_the_length_of_its_kind() {
        let read = |value: &str| checksum(&headers(&[("upload-checksum", value)]));
        let (sum, value) = read("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").unwrap().unwrap();
        assert!(matches!(sum, Checksum::Sha1(_)));
        assert_eq!(value.len(), 20);
        for wrong in [
            "",
            "sha1",
            "sha1 ",
            "sha1 ???",
            "md5 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
            "crc32 AAAAAA==",
            "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        ] {
            assert_eq!(read(wrong).unwrap_err().status, 400, "{wrong:?}");
        }
        assert!(checksum(&HeaderMap::new()).unwrap().is_none());
    }

    #[test]
    fn content_is_declared_as_such() {
        let read = |value: &str| is_content(&headers(&[("content-type", value)]));
        assert!(read("application/offset+octet-stream"));
        assert!(read("Application/Offset+Octet-Stream; x=1"));
        assert!(!read("application/octet-stream"));
        assert!(!is_content(&HeaderMap::new()));
    }

    #[test]
    fn moments_are_written_as_http_does() {
        assert_eq!(
            date(Millis(784_111_777_000)),
            "Sun, 06 Nov 1994 08:49:37 GMT"
        );
    }
}
