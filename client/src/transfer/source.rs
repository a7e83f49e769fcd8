//! The file that goes up: what it is, its hash, and its pieces.

use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use futures_util::stream::try_unfold;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use sha2::{Digest, Sha256};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::watch;

use super::line::Content;
use crate::error::{Error, Result};
use crate::model::BlobId;

/// How much of a file is read at a time.
const READ_BYTES: usize = 256 * 1024;

/// A file on this machine, as it was when it was first looked at.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    /// In nanoseconds since 1970; 0 where the system does not know.
    pub(super) modified: u64,
}

/// A piece of it on its way.
pub(super) struct Piece {
    pub(super) content: Content,
    pub(super) bytes: u64,
    /// How much of it is gone.
    pub(super) gone: watch::Receiver<u64>,
    /// Why it could not be read to its end.
    pub(super) failed: Arc<OnceLock<String>>,
}

impl Source {
    pub(super) async fn look(path: &Path) -> Result<Self> {
        let about = fs::metadata(path).await;
        let about = about.map_err(|error| unusable(path, &error))?;
        if !about.is_file() {
            return Err(unusable(path, &"it is no file"));
        }
        let modified = about.modified().ok();
        let modified = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|since| u64::try_from(since.as_nanos()).ok());
        Ok(Self {
            path: path.to_owned(),
            size: about.len(),
            modified: modified.unwrap_or(0),
        })
    }

    /// The SHA-256 of the whole content.
    pub(super) async fn hash(&self) -> Result<BlobId> {
        let failed = |error: io::Error| unusable(&self.path, &error);
        let mut file = File::open(&self.path).await.map_err(failed)?;
        let mut hash = Sha256::new();
        let mut piece = vec![0; READ_BYTES];
        loop {
            let read = file.read(&mut piece).await.map_err(failed)?;
            if read == 0 {
                return Ok(BlobId(hash.finalize().into()));
            }
            hash.update(&piece[..read]);
        }
    }

    /// # Errors
    /// `File` if it is not what it was: what is on the server would be the beginning of something
    /// else.
    pub(super) async fn is_unchanged(&self) -> Result<()> {
        let now = Self::look(&self.path).await?;
        if (now.size, now.modified) == (self.size, self.modified) {
            return Ok(());
        }
        Err(self.changed())
    }

    pub(super) fn changed(&self) -> Error {
        unusable(&self.path, &CHANGED)
    }

    /// The content from `offset` on.
    pub(super) async fn piece(&self, offset: u64, bytes: u64) -> Result<Piece> {
        let open = async {
            let mut file = File::open(&self.path).await?;
            file.seek(SeekFrom::Start(offset)).await?;
            Ok::<_, io::Error>(file)
        };
        let file = open.await.map_err(|error| unusable(&self.path, &error))?;
        let (counter, gone) = watch::channel(0);
        let failed = Arc::new(OnceLock::new());
        let reading = Reading {
            file,
            left: bytes,
            counter,
            failed: Arc::clone(&failed),
        };
        let frames = try_unfold(reading, async |mut reading| {
            let bytes = reading.next().await?;
            Ok(bytes.map(|bytes| (Frame::data(bytes), reading)))
        });
        Ok(Piece {
            content: StreamBody::new(frames).boxed_unsync(),
            bytes,
            gone,
            failed,
        })
    }

    /// What could not be read, if that is why a piece did not arrive.
    pub(super) fn unreadable(&self, failed: &OnceLock<String>) -> Option<Error> {
        failed.get().map(|cause| unusable(&self.path, &cause))
    }
}

const CHANGED: &str = "it changed while it was uploaded";

fn unusable(path: &Path, cause: &impl ToString) -> Error {
    Error::File {
        path: path.display().to_string(),
        cause: cause.to_string(),
    }
}

/// A piece while it is read.
struct Reading {
    file: File,
    left: u64,
    counter: watch::Sender<u64>,
    failed: Arc<OnceLock<String>>,
}

impl Reading {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        let limit = u64::try_from(READ_BYTES).unwrap_or(u64::MAX).min(self.left);
        let mut bytes = Vec::with_capacity(usize::try_from(limit).unwrap_or(READ_BYTES));
        let read = (&mut self.file).take(limit).read_to_end(&mut bytes).await;
        let cause = match read {
            Ok(0) => CHANGED.to_owned(),
            Err(error) => error.to_string(),
            Ok(_) => {
                let read = u64::try_from(bytes.len()).unwrap_or(limit);
                self.left -= read;
                self.counter.send_modify(|gone| *gone += read);
                return Ok(Some(bytes.into()));
            }
        };
        let error = io::Error::other(cause.clone());
        // Nobody else sets it.
        let _ = self.failed.set(cause);
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_piece_is_what_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let all: Vec<u8> = (0..=255).cycle().take(700_000).collect();
        std::fs::write(&path, &all).unwrap();
        let source = Source::look(&path).await.unwrap();
        let hash = source.hash().await.unwrap();
        assert_eq!(hash, BlobId(Sha256::digest(&all).into()));
        let piece = source.piece(100_000, 500_000).await.unwrap();
        let got = piece.content.collect().await.unwrap().to_bytes();
        assert!(got == all[100_000..600_000]);
        assert_eq!(*piece.gone.borrow(), 500_000);
        assert!(source.unreadable(&piece.failed).is_none());
    }

    #[tokio::test]
    async fn a_file_that_shrinks_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "0123456789").unwrap();
        let source = Source::look(&path).await.unwrap();
        source.is_unchanged().await.unwrap();
        std::fs::write(&path, "01234").unwrap();
        assert!(source.is_unchanged().await.is_err());
        let piece = source.piece(0, 10).await.unwrap();
        assert!(piece.content.collect().await.is_err());
        assert!(source.unreadable(&piece.failed).is_some());
        assert!(Source::look(folder.path()).await.is_err(), "a folder");
    }
}
