//! Brings a stored file here, whatever breaks on the way, and checks that it is the one.

use std::path::Path;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{sleep, timeout};

use super::line::nothing;
use super::part::{Part, is_free};
use super::site::Signed;
use super::tries::Tries;
use super::{Progress, Shelf};
use crate::api::Api;
use crate::error::{Error, Result};
use crate::model::BlobId;

/// A download of which nothing comes for this time has broken.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// What is to be downloaded, and where to.
#[derive(Clone, Copy, Debug)]
pub struct Download<'a> {
    file: BlobId,
    to: &'a Path,
    replaces: bool,
    shelf: Option<Shelf>,
}

/// A file that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downloaded {
    pub bytes: u64,
    /// Whether it is the content that was asked for. Otherwise it is the picture as the server shows
    /// it to others: without what its file tells about the author.
    pub is_original: bool,
}

impl<'a> Download<'a> {
    /// What comes goes into `TO.part` until it is whole. Nothing that stands at `to` is replaced.
    pub fn new(file: BlobId, to: &'a Path) -> Self {
        Self {
            file,
            to,
            replaces: false,
            shelf: None,
        }
    }

    /// Replaces what stands there.
    #[must_use]
    pub fn replacing(self, replaces: bool) -> Self {
        Self { replaces, ..self }
    }

    /// The bytes as they were uploaded, also of a picture; for its uploader and those who got it as
    /// a file. For others it is `no_such_file`.
    #[must_use]
    pub fn original(self) -> Self {
        Self {
            shelf: Some(Shelf::Files),
            ..self
        }
    }
}

impl Api {
    /// Downloads a file by the SHA-256 of its content, which is checked. What breaks is mended: it
    /// goes on where it stopped, also when an earlier run of the program did so. `progress` hears
    /// how far it is.
    ///
    /// # Errors
    /// `no_such_file` and `file_gone`; `File` if it cannot be written; `Transfer` if something else
    /// came than was asked for; the network's.
    pub async fn download(
        &self,
        download: &Download<'_>,
        mut progress: impl FnMut(Progress),
    ) -> Result<Downloaded> {
        if !download.replaces {
            is_free(download.to).await?;
        }
        let (address, size) = ask(self, download).await?;
        let mut way = Way {
            api: self,
            download,
            part: Part::open(download.to).await?,
            tag: Some(format!("\"{}\"", download.file)),
            address,
            size,
            is_fresh: true,
            tries: Tries::new(),
        };
        let is_original = loop {
            Box::pin(way.finish(&mut progress)).await?;
            match way.judge() {
                Verdict::Original => break true,
                Verdict::Shown => break false,
                Verdict::Stale => way.part.reset().await?,
                Verdict::Wrong(came) => {
                    way.part.discard().await;
                    return Err(Error::Transfer(format!(
                        "what came for {} is something else, with the SHA-256 {came}; nothing of it \
                         is kept",
                        download.file
                    )));
                }
            }
        };
        let bytes = way.part.len;
        way.part.finish(download.replaces).await?;
        Ok(Downloaded { bytes, is_original })
    }
}

/// Where it comes from, and how large it is.
async fn ask(api: &Api, download: &Download<'_>) -> Result<(Signed, u64)> {
    let known = api.stored_file(download.file, download.shelf).await?;
    Ok((api.signed(&known.url)?, known.size))
}

/// What to think of something that came to its end.
enum Verdict {
    Original,
    /// Not the original, and the server said so.
    Shown,
    /// An earlier run left something else.
    Stale,
    Wrong(BlobId),
}

/// A file on its way.
struct Way<'a> {
    api: &'a Api,
    download: &'a Download<'a>,
    part: Part,
    address: Signed,
    /// How large the original is.
    size: u64,
    /// Of which content the part is: the tag of the last answer, at the beginning that of the
    /// original. Without one it cannot be gone on with.
    tag: Option<String>,
    /// The address was not used yet.
    is_fresh: bool,
    tries: Tries,
}

impl Way<'_> {
    fn is_tagged_as_original(&self) -> bool {
        self.tag.as_deref() == Some(&format!("\"{}\"", self.download.file))
    }

    fn judge(&self) -> Verdict {
        let came = self.part.hash();
        if came == self.download.file {
            Verdict::Original
        } else if self.part.is_older {
            Verdict::Stale
        } else if self.address.is_picture && !self.is_tagged_as_original() {
            Verdict::Shown
        } else {
            Verdict::Wrong(came)
        }
    }

    async fn finish(&mut self, progress: &mut impl FnMut(Progress)) -> Result<()> {
        loop {
            let error = match self.go_on(progress).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if !self.is_fresh && is_refused(&error) {
                // An address is good for a while only.
                (self.address, self.size) = ask(self.api, self.download).await?;
                self.is_fresh = true;
                continue;
            }
            let reason = error.to_string();
            let next_try = self.tries.after(error)?;
            progress(Progress::Waiting { reason, next_try });
            sleep(next_try).await;
        }
    }

    /// One try: from what is there to the end.
    async fn go_on(&mut self, progress: &mut impl FnMut(Progress)) -> Result<()> {
        if self.part.len == self.size && self.is_tagged_as_original() && self.size > 0 {
            return Ok(());
        }
        if self.part.len > 0 && self.tag.is_none() {
            self.part.reset().await?;
        }
        let line = &self.address.line;
        let mut request = line.request(Method::GET, &self.address.path);
        if let Some(tag) = self.tag.as_ref().filter(|_| self.part.len > 0) {
            request = request
                .header(RANGE, format!("bytes={}-", self.part.len))
                .header(IF_RANGE, tag);
        }
        let response = line.send(request, nothing()).await?;
        self.tries.answered();
        let headers = response.headers();
        let total = match response.status() {
            StatusCode::OK => {
                let total = line.number(headers, &CONTENT_LENGTH)?;
                self.tag = strong_tag(headers);
                self.part.reset().await?;
                total
            }
            StatusCode::PARTIAL_CONTENT => {
                let goes_on = continued(headers, self.part.len);
                goes_on.ok_or_else(|| line.strange("it sends another part".to_owned()))?
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                // What is there is longer than the file.
                self.part.reset().await?;
                return Err(line.strange("it has less than is here".to_owned()));
            }
            _ => {
                let refused = line.read(response).await;
                let strange = || line.strange("it answers something else than a file".to_owned());
                return Err(refused.err().unwrap_or_else(strange));
            }
        };
        self.is_fresh = false;
        self.take(response.into_body(), total, progress).await
    }

    async fn take(
        &mut self,
        mut body: Incoming,
        total: u64,
        progress: &mut impl FnMut(Progress),
    ) -> Result<()> {
        let line = &self.address.line;
        loop {
            progress(Progress::Moved {
                done: self.part.len,
                total,
            });
            let frame = match timeout(STALLED_AFTER, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Err(line.unreachable(error.to_string())),
                Ok(None) if self.part.len == total => return Ok(()),
                Ok(None) => return Err(line.unreachable("it ended too early".to_owned())),
                Err(_late) => {
                    let seconds = STALLED_AFTER.as_secs();
                    let silent = format!("nothing came for {seconds} seconds");
                    return Err(line.unreachable(silent));
                }
            };
            if let Ok(bytes) = frame.into_data() {
                self.part.add(&bytes).await?;
                self.tries.moved();
            }
        }
    }
}

/// Whether an address is not good any more.
fn is_refused(error: &Error) -> bool {
    matches!(error, Error::Refused(problem) if matches!(problem.status, 401 | 403 | 404 | 410))
}

/// The tag of the content, if it says that the bytes are the same.
fn strong_tag(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get(ETAG)?.to_str().ok()?;
    tag.starts_with('"').then(|| tag.to_owned())
}

/// The length of the whole, if the answer is the part from `offset` to its end.
fn continued(headers: &HeaderMap, offset: u64) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (part, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (from, to) = part.split_once('-')?;
    let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
    let total: u64 = total.parse().ok()?;
    (from == offset && to.checked_add(1) == Some(total)).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rest_is_gone_on_with() {
        let read = |range: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, range.parse().unwrap());
            continued(&headers, 5)
        };
        assert_eq!(read("bytes 5-9/10"), Some(10));
        for wrong in [
            "bytes 4-9/10",
            "bytes 5-8/10",
            "bytes 5-9/*",
            "bytes */10",
            "5-9/10",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn weak_tags_are_none() {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, "W/\"ab\"".parse().unwrap());
        assert_eq!(strong_tag(&headers), None);
        headers.insert(ETAG, "\"ab\"".parse().unwrap());
        assert_eq!(strong_tag(&headers).as_deref(), Some("\"ab\""));
    }
}
