//! One file as it is given out: its content, what kind it is, and its compressed forms.

use axum::http::HeaderValue;
use bytes::Bytes;
use mime_guess::Mime;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::WORKER;
use super::encoding::{Compressor, Encoding};

/// Below this a compressed form saves less than its header costs.
const COMPRESSED_FROM_BYTES: usize = 256;

#[derive(Debug)]
pub(super) struct Asset {
    pub(super) content: Bytes,
    pub(super) kind: HeaderValue,
    /// Weak, because all encodings share it: `W/"…"`.
    pub(super) tag: String,
    /// Browsers ask whether it may do what it wants: a page, a worker, a picture that can be opened
    /// by itself. With every script and style the answer would be half of what the first load costs.
    pub(super) needs_policy: bool,
    is_compressible: bool,
    /// Made when somebody asks for it first; nothing if it is no smaller.
    brotli: OnceCell<Option<Bytes>>,
    gzip: OnceCell<Option<Bytes>>,
}

impl Asset {
    pub(super) fn new(path: &str, content: Bytes) -> Self {
        let hash = Sha256::digest(&content);
        Self::hashed(path, content, &hash)
    }

    /// The same with a SHA-256 that is known.
    pub(super) fn hashed(path: &str, content: Bytes, hash: &[u8]) -> Self {
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        let is_text = is_text(&kind);
        Self {
            is_compressible: is_text && content.len() >= COMPRESSED_FROM_BYTES,
            content,
            needs_policy: path == WORKER
                || matches!(
                    kind.subtype(),
                    mime_guess::mime::HTML | mime_guess::mime::SVG
                ),
            kind: shown(&kind, is_text),
            tag: format!("W/\"{}\"", shortened(hash)),
            brotli: OnceCell::new(),
            gzip: OnceCell::new(),
        }
    }

    /// Whether the answer is another one for another `Accept-Encoding`.
    pub(super) fn is_compressible(&self) -> bool {
        self.is_compressible
    }

    /// The content in this form, if there is one worth it.
    pub(super) async fn encoded(
        &self,
        encoding: Encoding,
        compressor: &Compressor,
    ) -> Option<Bytes> {
        let cell = match encoding {
            _ if !self.is_compressible => return None,
            Encoding::Identity => return None,
            Encoding::Brotli => &self.brotli,
            Encoding::Gzip => &self.gzip,
        };
        let make = || async {
            let encoded = compressor.encode(self.content.clone(), encoding).await;
            encoded.filter(|encoded| encoded.len() < self.content.len())
        };
        cell.get_or_init(make).await.clone()
    }
}

fn is_text(kind: &Mime) -> bool {
    let subtype = kind.subtype();
    kind.type_() == mime_guess::mime::TEXT
        || ["javascript", "json", "xml"].contains(&subtype.as_str())
        || kind
            .suffix()
            .is_some_and(|suffix| ["json", "xml"].contains(&suffix.as_str()))
}

fn shown(kind: &Mime, is_text: bool) -> HeaderValue {
    let charset = if is_text { "; charset=utf-8" } else { "" };
    let text = format!("{}{charset}", kind.essence_str());
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// The first 64 bits of a hash in hexadecimal digits: enough for files that nobody forges.
pub(super) fn shortened(hash: &[u8]) -> String {
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_from_names() {
        for (path, kind, is_text) in [
            ("index.html", "text/html; charset=utf-8", true),
            ("net/a.js", "text/javascript; charset=utf-8", true),
            ("styles/a.css", "text/css; charset=utf-8", true),
            ("icons/a.svg", "image/svg+xml; charset=utf-8", true),
            (
                "manifest.webmanifest",
                "application/manifest+json; charset=utf-8",
                true,
            ),
            ("i18n/zh.json", "application/json; charset=utf-8", true),
            ("icons/a.png", "image/png", false),
            ("a.woff2", "font/woff2", false),
            ("LICENSE", "application/octet-stream", false),
        ] {
            let asset = Asset::new(path, Bytes::from(vec![b' '; COMPRESSED_FROM_BYTES]));
            assert_eq!(asset.kind, kind, "{path}");
            assert_eq!(asset.is_compressible(), is_text, "{path}");
        }
        assert!(!Asset::new("a.js", Bytes::from_static(b"1")).is_compressible());
    }

    #[tokio::test]
    async fn a_form_is_made_once_and_only_if_it_is_smaller() {
        let compressor = Compressor::default();
        let asset = Asset::new("a.js", Bytes::from("let a = 1;\n".repeat(100)));
        for encoding in [Encoding::Brotli, Encoding::Gzip] {
            let first = asset.encoded(encoding, &compressor).await.unwrap();
            let again = asset.encoded(encoding, &compressor).await.unwrap();
            assert!(first.len() < asset.content.len());
            assert_eq!(first.as_ptr(), again.as_ptr());
        }
        assert_eq!(asset.encoded(Encoding::Identity, &compressor).await, None);
        // What looks like noise does not get smaller.
        let noise: Vec<u8> = (0_u32..40)
            .flat_map(|number| Sha256::digest(number.to_be_bytes()))
            .collect();
        let noise = Asset::new("noise.txt", noise.into());
        assert!(noise.is_compressible());
        assert_eq!(noise.encoded(Encoding::Brotli, &compressor).await, None);
    }
}
