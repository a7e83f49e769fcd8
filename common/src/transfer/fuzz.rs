//! What a fuzzer feeds to the servers of files.

pub use super::http::fuzz::{file_name, range, upload_headers, upload_metadata};

/// The first bytes of a file, by which its kind is told.
///
/// # Panics
/// If the kind is no media type.
pub fn kind(bytes: &[u8]) {
    let kind = super::inspect::mime_of(bytes);
    assert!(
        kind.split_once('/')
            .is_some_and(|(kind, of)| !kind.is_empty() && !of.is_empty())
    );
}
