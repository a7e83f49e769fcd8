//! What a fuzzer feeds to the headers of downloads.

use axum::http::header::RANGE;
use axum::http::{HeaderMap, HeaderValue};

use super::range::{Wanted, wanted};

/// `Range`: eight bytes say how long the file is, the others are the header.
///
/// # Panics
/// If a part is not in the file, overlaps another, or there are too many.
pub fn range(bytes: &[u8]) {
    let Some((len, value)) = bytes.split_first_chunk::<8>() else {
        return;
    };
    let Ok(value) = HeaderValue::from_bytes(value) else {
        return;
    };
    let len = u64::from_le_bytes(*len);
    let mut headers = HeaderMap::new();
    headers.insert(RANGE, value);
    let Wanted::Parts(parts) = wanted(&headers, len) else {
        return;
    };
    assert!(!parts.is_empty() && parts.len() <= 8);
    for (at, part) in parts.iter().enumerate() {
        let end = part.offset.checked_add(part.len).expect("no overflow");
        assert!(part.len > 0 && end <= len);
        let apart = |other: &super::Part| other.offset >= end || other.end() <= part.offset;
        assert!(parts[..at].iter().all(apart));
    }
}
