//! What tus 1.0.0 says and hears, one function a request.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use http::request::Builder;
use http::{HeaderValue, Method};
use serde::Deserialize;
use tokio::time::timeout;

use super::line::nothing;
use super::site::Site;
use super::source::Piece;
use crate::error::{Error, Result};
use crate::model::{BlobId, Timestamp};

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const OFFSET_STREAM: &str = "application/offset+octet-stream";

/// Nobody waits longer for the end of what is of no use any more.
const END_WITHIN: Duration = Duration::from_secs(5);

/// An upload that was created.
pub(super) struct Created {
    pub(super) id: String,
    /// When the server gives it up if nothing comes.
    pub(super) expires: Option<Timestamp>,
}

/// What became of a piece.
pub(super) enum Appended {
    /// So much is there.
    To(u64),
    /// All of it, and it is a file now.
    Stored(Stored),
}

/// A file that an upload became.
#[derive(Debug, Deserialize)]
pub(super) struct Stored {
    pub(super) file: String,
    pub(super) size: u64,
    pub(super) mime: String,
    #[serde(default)]
    pub(super) width: Option<u32>,
    #[serde(default)]
    pub(super) height: Option<u32>,
    #[serde(default)]
    pub(super) thumbhash: Option<String>,
}

impl Site {
    /// Begins an upload. The server checks at the end that it is the content that was promised.
    pub(super) async fn create(&self, size: u64, name: &str, promised: BlobId) -> Result<Created> {
        let metadata = format!(
            "filename {},sha256 {}",
            BASE64.encode(name),
            BASE64.encode(promised.to_string())
        );
        let request = self
            .tus(Method::POST, &format!("{}/", self.collection))
            .header(UPLOAD_LENGTH, size)
            .header(UPLOAD_METADATA, metadata);
        let answer = self.line.send(request, nothing()).await?;
        let answer = self.line.read(answer).await?;
        // Only the name is of interest: a proxy may have put the server somewhere else.
        let place = answer.headers.get(LOCATION);
        let place = place.and_then(|place| place.to_str().ok());
        let id = place.and_then(|place| place.rsplit('/').next());
        let id = id.filter(|id| is_id(id));
        let id = id.ok_or_else(|| self.line.strange("it does not tell the upload".to_owned()))?;
        Ok(Created {
            id: id.to_owned(),
            expires: expires(&answer.headers),
        })
    }

    /// How much of an upload is there.
    pub(super) async fn offset(&self, id: &str) -> Result<u64> {
        let request = self.tus(Method::HEAD, &self.upload(id));
        let answer = self.line.send(request, nothing()).await?;
        let answer = self.line.read(answer).await?;
        self.line.number(&answer.headers, &UPLOAD_OFFSET)
    }

    /// Adds a piece. `told` hears how much of it is on its way.
    pub(super) async fn append(
        &self,
        id: &str,
        offset: u64,
        piece: Piece,
        told: impl FnMut(u64),
    ) -> Result<Appended> {
        let request = self
            .tus(Method::PATCH, &self.upload(id))
            .header(UPLOAD_OFFSET, offset)
            .header(CONTENT_TYPE, OFFSET_STREAM)
            .header(CONTENT_LENGTH, piece.bytes)
            .header(PREFER, "return=representation");
        let Piece { content, gone, .. } = piece;
        let answer = self.line.send_watched(request, content, gone, told).await?;
        let answer = self.line.read(answer).await?;
        if !answer.body.is_empty() {
            let stored = serde_json::from_slice(&answer.body);
            let stored = stored.map_err(|error| self.line.strange(error.to_string()))?;
            return Ok(Appended::Stored(stored));
        }
        let offset = self.line.number(&answer.headers, &UPLOAD_OFFSET)?;
        Ok(Appended::To(offset))
    }

    /// Gives an upload up. If the server cannot be told, it does so itself in time.
    pub(super) async fn give_up(&self, id: &str) {
        let request = self.tus(Method::DELETE, &self.upload(id));
        let _ = timeout(END_WITHIN, self.line.send(request, nothing())).await;
    }

    fn tus(&self, method: Method, path: &str) -> Builder {
        self.line
            .request(method, path)
            .header(TUS_RESUMABLE, VERSION)
    }

    fn upload(&self, id: &str) -> String {
        format!("{}/uploads/{id}", self.collection)
    }
}

/// Whether an error says that the server does not know an upload any more.
pub(super) fn is_lost(error: &Error) -> bool {
    matches!(error, Error::Refused(problem) if matches!(problem.status, 404 | 410))
}

/// What an upload is called goes into addresses.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn expires(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(UPLOAD_EXPIRES)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_upload_is_read() {
        let mut headers = HeaderMap::new();
        assert_eq!(expires(&headers), None);
        let date = HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT");
        headers.insert(UPLOAD_EXPIRES, date);
        assert_eq!(expires(&headers).unwrap().as_second(), 784_111_777);
    }

    #[test]
    fn an_upload_is_called_by_letters_and_digits() {
        assert!(is_id("6d1f0d7bb2b04c7f8a5c9e3f1a2b3c4d"));
        for wrong in ["", "..", "a?b", "a b", "a%2f"] {
            assert!(!is_id(wrong), "{wrong}");
        }
    }
}
