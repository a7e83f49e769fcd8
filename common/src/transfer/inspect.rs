//! What a server finds out about an upload before it is published, and why it may turn one down.
//!
//! Knows no formats: the file server and the image server bring their own [`Inspect`].

use std::sync::Arc;

use async_trait::async_trait;

use super::Promises;
use super::http::Readable;
use super::http::problem::Problem;
use crate::blob::BlobFile;
use crate::store::BlobClass;
pub use crate::store::file::Picture;

/// Looks into content of which all bytes have come, before anybody else can see it. Dropping the
/// future gives the look up.
#[async_trait]
pub trait Inspect: Send + Sync + 'static {
    /// What the content is.
    ///
    /// # Errors
    /// [`Rejected`] if it is not to be kept; the bytes are thrown away.
    async fn inspect(&self, file: &BlobFile, size: u64) -> Result<Inspected, Rejected>;

    /// What is handed out instead of stored content: by default the content itself. What is handed
    /// out instead needs a hash of its own in `about.blob`, which becomes its ETag.
    ///
    /// # Errors
    /// If there is nothing in it that others may see.
    async fn present(&self, stored: Readable) -> Result<Readable, Problem> {
        Ok(stored)
    }
}

/// What content turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// Its media type, by its bytes and not by what the client says.
    pub mime: String,
    /// If it is a picture, and somebody looked.
    pub picture: Option<Picture>,
}

/// Why content is not kept, as the uploader is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The HTTP status: 415 for a format that is not served, 422 for a broken or oversized one.
    pub status: u16,
    /// A stable word to decide by.
    pub code: &'static str,
    /// What is wrong, for people.
    pub detail: String,
    /// When trying again makes sense, in seconds; of a 503.
    pub retry_after: Option<u64>,
}

/// Takes everything, and tells kinds apart by their first bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sniff;

/// How much of a file the kinds are told apart by. A tar archive says so after 257 bytes, an ISO
/// image after 32 KiB, which nobody needs to know.
const SNIFFED_BYTES: u64 = 8 << 10;

#[async_trait]
impl Inspect for Sniff {
    async fn inspect(&self, file: &BlobFile, size: u64) -> Result<Inspected, Rejected> {
        let count = usize::try_from(size.min(SNIFFED_BYTES)).unwrap_or(0);
        let begin = file.read(0, count, bytes::BytesMut::new()).await;
        let begin = begin.map_err(|error| {
            tracing::error!(%error, "an uploaded file cannot be read back");
            Rejected {
                status: 500,
                code: "internal",
                detail: "The server could not read the file back.".to_owned(),
                retry_after: None,
            }
        })?;
        Ok(Inspected {
            mime: mime_of(&begin).to_owned(),
            picture: None,
        })
    }
}

/// The media type of what begins like this. Text is told by having no control characters.
pub(super) fn mime_of(begin: &[u8]) -> &'static str {
    if let Some(kind) = infer::get(begin) {
        return kind.mime_type();
    }
    let is_text = |text: &str| {
        !text
            .chars()
            .any(|c| c.is_control() && !"\t\n\r\u{c}".contains(c))
    };
    let whole = match std::str::from_utf8(begin) {
        Ok(text) => Some(text),
        // The piece may end in the middle of a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&begin[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    };
    match whole {
        // Without the words that XML begins with, which are told by their bytes.
        Some(text) if is_svg(text) => "image/svg+xml",
        Some(text) if !text.is_empty() && is_text(text) => "text/plain",
        _ => "application/octet-stream",
    }
}

fn is_svg(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    text.starts_with('<') && text.to_ascii_lowercase().contains("<svg")
}

/// What makes a transfer server the file server or the image server.
pub struct Service {
    /// Whose names it serves.
    pub class: BlobClass,
    pub inspector: Arc<dyn Inspect>,
    /// What was promised to the file cache; shared by the servers of a process that share that.
    pub promises: Promises,
    /// Routes beside those of the content itself.
    pub routes: Routes,
}

/// Makes the routes of a server that is about to start.
pub type Routes = Box<dyn FnOnce(&Arc<super::Transfers>) -> axum::Router + Send>;

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("class", &self.class)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_bytes() {
        assert_eq!(mime_of(b"\x89PNG\r\n\x1a\n"), "image/png");
        assert_eq!(mime_of(b"%PDF-1.7\n"), "application/pdf");
        assert_eq!(mime_of("grüße\n".as_bytes()), "text/plain");
        assert_eq!(mime_of(b"\n<SVG onload='alert(1)'/>"), "image/svg+xml");
        // The second byte of the last character is missing.
        assert_eq!(mime_of(&"grü".as_bytes()[..3]), "text/plain");
        for other in [&b""[..], b"\0\0\0", b"abc\x1b[1m", b"\xff\xfeab"] {
            assert_eq!(mime_of(other), "application/octet-stream", "{other:?}");
        }
    }
}
