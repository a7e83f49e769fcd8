//! Keeps deletion and publication of a file apart, between threads and between processes.
//!
//! Without it, an upload of content that is here already could be answered while the collector is
//! about to delete just that content.
//!
//! A lock of the system on a file ends with the process that holds it, however it ends. There is
//! one for each of 256 parts of the files, by the first byte of their hash, and the collector takes
//! only what it gets at once: publishing a large file takes minutes where it has to go to a bucket
//! first, and neither the collector nor other uploads wait for that.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{BlobError, make_folder};
use crate::id::BlobId;
use crate::pool::BlockingPool;

/// Names that begin with a dot are never downloaded.
const FOLDER: &str = ".locks";

/// So many wait at a time. They wait for whoever deletes, which does not take long, or for somebody
/// who looks after a damaged file.
const WAITING_MAX: usize = 16;

#[derive(Debug)]
pub(super) struct CollectionLock {
    folder: PathBuf,
    /// It must not be the pool in which the holder of a lock does its work.
    waiting: BlockingPool,
}

/// Somebody publishes a file. Shared with others who do.
#[derive(Debug)]
#[must_use = "the lock is held as long as this is there"]
pub struct Publishing {
    _lock: File,
}

/// Somebody deletes files, alone.
#[derive(Debug)]
#[must_use = "the locks are held as long as this is there"]
pub struct Collecting {
    _locks: Vec<File>,
}

impl CollectionLock {
    pub(super) fn open(filecache: &Path) -> Result<Self, BlobError> {
        let folder = filecache.join(FOLDER);
        make_folder(&folder)?;
        Ok(Self {
            folder,
            waiting: BlockingPool::new(WAITING_MAX),
        })
    }

    pub(super) async fn publishing(&self, id: BlobId) -> Result<Publishing, BlobError> {
        let lock = self.acquire(id, File::lock_shared).await?;
        Ok(Publishing { _lock: lock })
    }

    pub(super) async fn collecting(&self, id: BlobId) -> Result<Collecting, BlobError> {
        let lock = self.acquire(id, File::lock).await?;
        Ok(Collecting { _locks: vec![lock] })
    }

    /// Answers also which of the files it is about.
    pub(super) async fn collecting_free(
        &self,
        ids: Vec<BlobId>,
    ) -> Result<(Collecting, Vec<BlobId>), BlobError> {
        let folder = self.folder.clone();
        self.waiting.run(move || take_free(&folder, ids)).await
    }

    /// A lock belongs to the opened file, so every holder opens it for himself.
    async fn acquire(
        &self,
        id: BlobId,
        take: fn(&File) -> io::Result<()>,
    ) -> Result<File, BlobError> {
        let path = path_of(&self.folder, part_of(id));
        self.waiting
            .run(move || {
                let lock = open(&path)?;
                take(&lock).map_err(BlobError::disk("lock", &path))?;
                Ok(lock)
            })
            .await
    }
}

fn take_free(folder: &Path, mut ids: Vec<BlobId>) -> Result<(Collecting, Vec<BlobId>), BlobError> {
    let mut parts: Vec<u8> = ids.iter().copied().map(part_of).collect();
    parts.sort_unstable();
    parts.dedup();
    let mut locks = Vec::with_capacity(parts.len());
    let mut busy = Vec::new();
    for part in parts {
        let path = path_of(folder, part);
        let lock = open(&path)?;
        match lock.try_lock() {
            Ok(()) => locks.push(lock),
            Err(TryLockError::WouldBlock) => busy.push(part),
            Err(TryLockError::Error(error)) => return Err(BlobError::disk("lock", &path)(error)),
        }
    }
    ids.retain(|id| !busy.contains(&part_of(*id)));
    Ok((Collecting { _locks: locks }, ids))
}

fn part_of(id: BlobId) -> u8 {
    id.0[0]
}

fn path_of(folder: &Path, part: u8) -> PathBuf {
    folder.join(format!("{part:02x}"))
}

fn open(path: &Path) -> Result<File, BlobError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(BlobError::disk("open", path))
}
