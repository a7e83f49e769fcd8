//! The content of an upload while somebody adds to it: written and hashed piece by piece, each
//! while the next one is received.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::{Partials, UploadId};
use crate::blob::checksum::Checksum;
use crate::blob::file::Hasher;
use crate::blob::{BlobError, BlobFile, Digest, FinishedFile};

/// After so many bytes the disk is told to write what it has, while more is being received, so that
/// the fsync at the end has little to do, and a power cut costs little.
const FLUSH_BYTES: u64 = 4 << 20;

/// What was written before the server knew the hash is read again in steps of this size; between
/// two steps others get their turn.
const STEP_BYTES: usize = 4 << 20;

/// An upload that is open to be added to. Dropping it keeps what was written.
#[derive(Debug)]
pub struct Content {
    partials: Partials,
    id: UploadId,
    path: PathBuf,
    file: Arc<File>,
    size: u64,
    with_md5: bool,
    progress: Progress,
    flushing: Option<JoinHandle<io::Result<()>>>,
    unflushed: u64,
    held: Arc<dyn fmt::Debug + Send + Sync>,
}

/// How far the pieces that were handed over have got.
#[derive(Debug)]
enum Progress {
    Done(Box<Sums>),
    /// The last one is being written and hashed, while the next may be received.
    Writing(JoinHandle<Result<Box<Sums>, BlobError>>),
    Spoiled,
}

/// What is computed on the way.
#[derive(Debug)]
struct Sums {
    /// Of the whole content; `None` if what came before was not hashed.
    whole: Option<Hasher>,
    /// Of what comes now.
    piece: Option<Checksum>,
}

impl Content {
    pub(super) fn new(
        (partials, id): (Partials, UploadId),
        (path, file, size): (PathBuf, File, u64),
        whole: Option<Hasher>,
        with_md5: bool,
        held: Arc<dyn fmt::Debug + Send + Sync>,
    ) -> Self {
        Self {
            partials,
            id,
            path,
            file: Arc::new(file),
            size,
            with_md5,
            progress: Progress::Done(Box::new(Sums { whole, piece: None })),
            flushing: None,
            unflushed: 0,
            held,
        }
    }

    /// Bytes received so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a piece, and comes back when the one before is written: meanwhile the next can be
    /// received. So what goes wrong with this one is told later.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        let mut sums = self.settle().await?;
        self.flush_if_due().await?;
        let len = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let (file, path, at) = (Arc::clone(&self.file), self.path.clone(), self.size);
        let held = Arc::clone(&self.held);
        let work = move || {
            file.write_all_at(&piece, at)
                .map_err(BlobError::disk("write", &path))?;
            if let Some(whole) = &mut sums.whole {
                whole.update(&piece);
            }
            if let Some(sum) = &mut sums.piece {
                sum.update(&piece);
            }
            drop(file);
            drop(held);
            Ok(sums)
        };
        let writing = self.partials.blobs.pool().begin(work).await;
        self.progress = Progress::Writing(writing);
        self.size += len;
        self.unflushed += len;
        Ok(())
    }

    /// From here on this sum is computed too.
    pub async fn begin_checksum(&mut self, sum: Checksum) -> Result<(), BlobError> {
        let mut sums = self.settle().await?;
        sums.piece = Some(sum);
        self.progress = Progress::Done(sums);
        Ok(())
    }

    /// What was computed since [`Self::begin_checksum`].
    pub async fn end_checksum(&mut self) -> Result<Option<Vec<u8>>, BlobError> {
        let mut sums = self.settle().await?;
        let sum = sums.piece.take().map(Checksum::finish);
        self.progress = Progress::Done(sums);
        Ok(sum)
    }

    /// Throws away everything behind the first `size` bytes.
    pub async fn truncate(&mut self, size: u64) -> Result<(), BlobError> {
        // What is thrown away may be just what could not be written.
        let _ = self.settle().await;
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        let shorten = move || {
            file.set_len(size)
                .map_err(BlobError::disk("shorten", &path))
        };
        self.partials.blobs.pool().run(shorten).await?;
        self.size = size;
        let whole = self.partials.memory.take(self.id, size, self.with_md5);
        self.progress = Progress::Done(Box::new(Sums { whole, piece: None }));
        Ok(())
    }

    /// Notes the hashes as of now, for [`Self::truncate`] to come back to.
    pub async fn remember(&mut self) -> Result<(), BlobError> {
        let sums = self.settle().await?;
        if let Some(whole) = &sums.whole {
            self.partials.memory.put(self.id, whole.clone());
        }
        self.progress = Progress::Done(sums);
        Ok(())
    }

    /// What the content amounts to. Reads what was never hashed.
    pub async fn digest(&mut self) -> Result<Digest, BlobError> {
        let mut sums = self.settle().await?;
        let whole = match sums.whole.take() {
            Some(whole) => whole,
            None => self.hash_again().await?,
        };
        let digest = whole.digest();
        sums.whole = Some(whole);
        self.progress = Progress::Done(sums);
        Ok(digest)
    }

    async fn hash_again(&self) -> Result<Hasher, BlobError> {
        let mut hasher = Hasher::new(self.with_md5);
        while hasher.size() < self.size {
            let (file, path, size) = (Arc::clone(&self.file), self.path.clone(), self.size);
            let step = move || read_step(&file, &path, size, hasher);
            hasher = self.partials.blobs.pool().run(step).await?;
        }
        Ok(hasher)
    }

    /// What was received, to be looked at.
    pub async fn view(&mut self) -> Result<BlobFile, BlobError> {
        let sums = self.settle().await?;
        self.progress = Progress::Done(sums);
        let file = Arc::clone(&self.file);
        Ok(self.partials.blobs.view(file, self.size))
    }

    /// Makes what was received survive a power cut. If that fails, nothing was received.
    pub async fn sync(&mut self) -> Result<(), BlobError> {
        let sums = self.settle().await?;
        self.progress = Progress::Done(sums);
        self.last_flush().await?;
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        let sync = move || file.sync_all().map_err(BlobError::disk("save", &path));
        if let Err(error) = self.partials.blobs.pool().run(sync).await {
            self.give_up().await;
            return Err(error);
        }
        self.unflushed = 0;
        Ok(())
    }

    /// Waits for the early flush that is under way.
    async fn last_flush(&mut self) -> Result<(), BlobError> {
        let Some(flushing) = self.flushing.take() else {
            return Ok(());
        };
        let flushed = flushing
            .await
            .unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
            .map_err(BlobError::disk("save", &self.path));
        if flushed.is_err() {
            self.give_up().await;
        }
        flushed
    }

    /// Nobody knows what of the content is on the disk, and the next sync would say that all of it
    /// is: the kernel tells of a failed write once. So the upload begins anew.
    async fn give_up(&mut self) {
        self.progress = Progress::Spoiled;
        self.size = 0;
        self.partials.memory.forget(self.id);
        let path = self.path.clone();
        let empty = move || {
            let emptied = File::options().write(true).open(&path)?.set_len(0);
            if emptied.is_err() {
                return std::fs::remove_file(&path);
            }
            emptied
        };
        if let Err(error) = self.partials.blobs.pool().run(empty).await {
            tracing::error!(%error, path = %self.path.display(), "an upload that the disk may not have stays");
        }
    }

    /// The whole content, synced, on its way into the store.
    pub async fn finish(mut self) -> Result<FinishedFile, BlobError> {
        self.sync().await?;
        let Self {
            path, file, size, ..
        } = self;
        Ok(FinishedFile::uploaded(path, file, size))
    }

    /// Lets go of it; what was hashed is remembered.
    pub async fn close(mut self) -> Result<(), BlobError> {
        let sums = self.settle().await?;
        if let Some(whole) = sums.whole {
            self.partials.memory.put(self.id, whole);
        }
        self.last_flush().await
    }

    /// Waits for the last piece. Leaves the content spoiled until the caller says otherwise.
    async fn settle(&mut self) -> Result<Box<Sums>, BlobError> {
        if let Progress::Writing(writing) = &mut self.progress {
            match writing.await {
                Ok(Ok(sums)) => self.progress = Progress::Done(sums),
                Ok(Err(error)) => {
                    self.progress = Progress::Spoiled;
                    return Err(error);
                }
                Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
            }
        }
        match std::mem::replace(&mut self.progress, Progress::Spoiled) {
            Progress::Done(sums) => Ok(sums),
            Progress::Writing(_) | Progress::Spoiled => Err(BlobError::Spoiled),
        }
    }

    /// The kernel reports a failed write once for each open file, so the outcome of an early flush
    /// must be looked at: the last fsync would say that all is well.
    async fn flush_if_due(&mut self) -> Result<(), BlobError> {
        let is_running = |flush: &JoinHandle<_>| !flush.is_finished();
        if self.unflushed < FLUSH_BYTES || self.flushing.as_ref().is_some_and(is_running) {
            return Ok(());
        }
        self.last_flush().await?;
        self.unflushed = 0;
        let (file, held) = (Arc::clone(&self.file), Arc::clone(&self.held));
        let pool = self.partials.blobs.pool().clone();
        self.flushing = Some(tokio::spawn(async move {
            let synced = pool.run(move || file.sync_data()).await;
            drop(held);
            synced
        }));
        Ok(())
    }
}

fn read_step(file: &File, path: &Path, size: u64, mut hasher: Hasher) -> Result<Hasher, BlobError> {
    let left = size - hasher.size();
    let count = usize::try_from(left).map_or(STEP_BYTES, |left| left.min(STEP_BYTES));
    let mut bytes = vec![0; count];
    file.read_exact_at(&mut bytes, hasher.size())
        .map_err(BlobError::disk("read", path))?;
    hasher.update(&bytes);
    Ok(hasher)
}

#[cfg(test)]
impl Content {
    pub(in crate::blob) fn replace_file(&mut self, file: File) {
        self.file = Arc::new(file);
    }
}
