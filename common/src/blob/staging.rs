//! A file while it is being received: written and hashed piece by piece, then kept or gone.
//!
//! Knows nothing of who sends it or what it will be called.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::{JoinError, JoinHandle};

use super::fault::{Step, reach};
use super::file::Hasher;
use super::temp::TempFile;
use super::{BlobError, BlobFile, Blobs, Digest, FinishedFile};
use crate::id::BlobId;

/// After so many bytes the disk is told to write what it has, while more is being received.
/// Otherwise the whole file waits for the fsync at the end, and the old Android client gives up on
/// an answer after half a second: 4 MiB take a slow disk (20 MB/s) a fifth of one.
const FLUSH_BYTES: u64 = 4 << 20;

/// A file being received. Dropping it deletes what was received.
#[derive(Debug)]
pub struct Staging {
    blobs: Blobs,
    temp: TempFile,
    progress: Progress,
    size: u64,
    pub(super) flushing: Option<JoinHandle<io::Result<()>>>,
    unflushed: u64,
}

/// How far the pieces that were handed over have got.
#[derive(Debug)]
enum Progress {
    /// All are written and hashed.
    Done(Hasher),
    /// The last one is being written and hashed, while the next may be received.
    Writing(JoinHandle<Result<Hasher, BlobError>>),
    Spoiled,
}

impl Staging {
    pub(super) async fn begin(blobs: &Blobs, with_md5: bool) -> Result<Self, BlobError> {
        let area = Arc::clone(blobs.area());
        let temp = blobs.pool().run(move || area.create()).await?;
        Ok(Self {
            blobs: blobs.clone(),
            temp,
            progress: Progress::Done(Hasher::new(with_md5)),
            size: 0,
            flushing: None,
            unflushed: 0,
        })
    }

    /// Appends a piece, and comes back when the one before is written: meanwhile the next can be
    /// received. So what goes wrong with this one is told later. After an error, or when given up
    /// half way, the file is spoiled.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        let mut hasher = self.settle().await?;
        let len = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.flush_if_due().await?;
        let (file, path) = (Arc::clone(self.temp.file()), self.temp.path().to_owned());
        let work = move || write(&file, &path, &piece, &mut hasher).map(|()| hasher);
        self.progress = Progress::Writing(self.blobs.pool().begin(work).await);
        self.size += len;
        self.unflushed += len;
        Ok(())
    }

    /// Bytes received so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What the content amounts to.
    pub async fn digest(&mut self) -> Result<Digest, BlobError> {
        let hasher = self.settle().await?;
        let digest = hasher.digest();
        self.progress = Progress::Done(hasher);
        Ok(digest)
    }

    /// What was received so far, to be looked at.
    pub async fn view(&mut self) -> Result<BlobFile, BlobError> {
        self.digest().await?;
        Ok(self.blobs.view(Arc::clone(self.temp.file()), self.size))
    }

    /// Publishes the file: afterwards it survives a power cut, whole, under its hash.
    pub async fn finish(mut self, promised: u64) -> Result<BlobId, BlobError> {
        let digest = self.digest().await?;
        let received = self.size;
        if received != promised {
            return Err(BlobError::Length { promised, received });
        }
        if let Some(flushing) = self.flushing.take() {
            flushed(flushing.await, self.temp.path())?;
        }
        let Self { blobs, temp, .. } = self;
        // An fsync that failed is not repeated: the kernel has forgotten what it could not write.
        let sync = move || {
            reach(Step::Written);
            #[cfg(feature = "planted")]
            if crate::config::planted::has("content-not-synced") {
                return Ok(FinishedFile::temporary(temp, received));
            }
            let synced = temp.file().sync_all();
            synced.map_err(BlobError::disk("save", temp.path()))?;
            reach(Step::Synced);
            Ok(FinishedFile::temporary(temp, received))
        };
        let finished = blobs.pool().run(sync).await?;
        blobs.keep(digest.blob, finished).await?;
        Ok(digest.blob)
    }

    /// Waits for the last piece. Leaves the file spoiled until the caller says otherwise.
    async fn settle(&mut self) -> Result<Hasher, BlobError> {
        let written = match &mut self.progress {
            Progress::Writing(writing) => Some(writing.await),
            Progress::Done(_) | Progress::Spoiled => None,
        };
        match (
            std::mem::replace(&mut self.progress, Progress::Spoiled),
            written,
        ) {
            (_, Some(Ok(written))) => written,
            (_, Some(Err(stopped))) => std::panic::resume_unwind(stopped.into_panic()),
            (Progress::Done(hasher), None) => Ok(hasher),
            (_, None) => Err(BlobError::Spoiled),
        }
    }

    /// The kernel reports a failed write once for each open file, so the outcome of an early flush
    /// must be looked at: the last fsync would say that all is well.
    async fn flush_if_due(&mut self) -> Result<(), BlobError> {
        let is_running = |flush: &JoinHandle<_>| !flush.is_finished();
        if self.unflushed < FLUSH_BYTES || self.flushing.as_ref().is_some_and(is_running) {
            return Ok(());
        }
        if let Some(done) = self.flushing.take() {
            flushed(done.await, self.temp.path())?;
        }
        self.unflushed = 0;
        let file = Arc::clone(self.temp.file());
        let pool = self.blobs.pool().clone();
        self.flushing = Some(tokio::spawn(async move {
            pool.run(move || file.sync_data()).await
        }));
        Ok(())
    }
}

fn write(file: &File, path: &Path, piece: &[u8], hasher: &mut Hasher) -> Result<(), BlobError> {
    let mut file = file;
    #[cfg(feature = "planted")]
    if crate::config::planted::has("short-write-unseen") {
        let _short = file.write(piece).map_err(BlobError::disk("write", path))?;
        hasher.update(piece);
        return Ok(());
    }
    file.write_all(piece)
        .map_err(BlobError::disk("write", path))?;
    hasher.update(piece);
    Ok(())
}

fn flushed(outcome: Result<io::Result<()>, JoinError>, path: &Path) -> Result<(), BlobError> {
    outcome
        .unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
        .map_err(BlobError::disk("save", path))
}

#[cfg(test)]
impl Staging {
    pub(super) fn replace_file(&mut self, file: File) {
        self.temp.replace_file(file);
    }
}
