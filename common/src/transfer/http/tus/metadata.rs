//! What a client says of its file in `Upload-Metadata`: names and values in base64.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::headers::bad;
use crate::id::BlobId;
use crate::transfer::http::file_name;
use crate::transfer::http::problem::Problem;

/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What of it is of use here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    /// `filename` or `name`, made harmless.
    pub(super) name: Option<String>,
    /// `sha256`: what the whole content must be.
    pub(super) promised: Option<BlobId>,
}

/// Reads the header. An empty one says nothing: some clients send it.
pub(super) fn read(text: &str) -> Result<Metadata, Problem> {
    let mut metadata = Metadata::default();
    let mut seen = Vec::new();
    if text.trim().is_empty() {
        return Ok(metadata);
    }
    for pair in text.split(',') {
        let pair = pair.trim();
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic());
        if !is_key {
            return Err(bad("A key of Upload-Metadata is empty or no plain text."));
        }
        if seen.contains(&key) {
            return Err(bad("A key of Upload-Metadata stands there twice."));
        }
        seen.push(key);
        let value = BASE64
            .decode(value.trim())
            .map_err(|_| bad("A value of Upload-Metadata is not base64."))?;
        let value = String::from_utf8_lossy(&value);
        match key {
            "filename" => metadata.name = file_name::clean(&value),
            "name" if metadata.name.is_none() => metadata.name = file_name::clean(&value),
            "sha256" => {
                let promised = BlobId::from_hex(&value.to_ascii_lowercase());
                let wrong = || bad("`sha256` in Upload-Metadata is not 64 hexadecimal digits.");
                metadata.promised = Some(promised.ok_or_else(wrong)?);
            }
            _ => {}
        }
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_promises_are_read() {
        let sha256 = BASE64.encode("ab".repeat(32));
        let text = format!(
            "filename {}, is_confidential,filetype dGV4dC9wbGFpbg==,sha256 {sha256}",
            BASE64.encode("../grüße.txt")
        );
        let read = read(&text).unwrap();
        assert_eq!(read.name.as_deref(), Some("grüße.txt"));
        assert_eq!(read.promised, BlobId::from_hex(&"ab".repeat(32)));
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_nothing_is_fine() {
        for fine in ["", " ", "a", "a YQ==,b", "a YQ", "name YQ=="] {
            read(fine).unwrap();
        }
        for wrong in ["a !!!", "a YQ==,a YQ==", ",", "a,", "ä YQ==", "sha256 YQ=="] {
            assert_eq!(read(wrong).unwrap_err().status, 400, "{wrong:?}");
        }
    }
}
