//! What a fuzzer feeds to the headers of resumable uploads.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::{headers, metadata};

/// `Upload-Metadata`.
///
/// # Panics
/// If a name comes through that cannot be shown to people.
pub fn upload_metadata(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(read) = metadata::read(text)
        && let Some(name) = read.name
    {
        assert!(!name.is_empty() && name.len() <= 255);
        assert!(!name.contains(['/', '\\']) && !name.chars().any(char::is_control));
    }
}

/// The other headers of an upload, one a line: `name: value`.
///
/// # Panics
/// If a header makes the server panic.
pub fn upload_headers(bytes: &[u8]) {
    let mut map = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(16) {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (halves.next(), halves.next()) else {
            continue;
        };
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            map.append(name, value);
        }
    }
    let _ = headers::length(&map);
    let _ = headers::checksum(&map);
    headers::is_content(&map);
    for name in map.keys() {
        let _ = headers::number(&map, name);
    }
}
