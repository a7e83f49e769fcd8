//! What a fuzzer feeds to what clients call their files, and to the headers of HTTP.

pub use super::download::fuzz::range;
pub use super::tus::fuzz::{upload_headers, upload_metadata};

/// What a client calls its file.
///
/// # Panics
/// If the name that comes out cannot be shown to people, or is none any more the second time.
pub fn file_name(bytes: &[u8]) {
    let Some(name) = super::file_name::clean(&String::from_utf8_lossy(bytes)) else {
        return;
    };
    assert!(!name.is_empty() && name.len() <= 255, "{name:?}");
    assert!(
        !name.contains(['/', '\\']) && name != "." && name != "..",
        "{name:?}"
    );
    assert!(!name.chars().any(char::is_control), "{name:?}");
    assert!(super::file_name::clean(&name).is_some(), "{name:?}");
}
