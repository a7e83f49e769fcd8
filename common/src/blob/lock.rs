//! Keeps deletion and publication of files apart, between threads and between processes.
//!
//! Without it, an upload of content that is here already could be answered while the collector is
//! about to delete just that content.
//!
//! A lock of the system on a file ends with the process that holds it, however it ends. It is not
//! fair: those who share it could keep the one who wants it alone waiting for ever. Hence the gate,
//! which everybody holds while waiting for the lock itself.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::BlobError;
use crate::pool::BlockingPool;

/// Names that begin with a dot are never downloaded.
const LOCK: &str = ".lock";
const GATE: &str = ".lock.gate";

#[derive(Debug)]
pub(super) struct CollectionLock {
    lock: PathBuf,
    gate: PathBuf,
    /// One waits for the system, the others for this one. It must not be the pool in which the
    /// holder of the lock does its work.
    waiting: BlockingPool,
}

/// Somebody publishes. Shared with others who do.
#[derive(Debug)]
#[must_use = "the lock is held as long as this is there"]
pub struct Publishing {
    _lock: File,
}

/// Somebody deletes, alone.
#[derive(Debug)]
#[must_use = "the lock is held as long as this is there"]
pub struct Collecting {
    _lock: File,
}

impl CollectionLock {
    pub(super) fn open(filecache: &Path) -> Result<Self, BlobError> {
        let lock = filecache.join(LOCK);
        let gate = filecache.join(GATE);
        for path in [&lock, &gate] {
            open(path).map_err(BlobError::disk("create", path))?;
        }
        Ok(Self {
            lock,
            gate,
            waiting: BlockingPool::new(1),
        })
    }

    pub(super) async fn publishing(&self) -> Result<Publishing, BlobError> {
        let lock = self.acquire(File::lock_shared).await?;
        Ok(Publishing { _lock: lock })
    }

    pub(super) async fn collecting(&self) -> Result<Collecting, BlobError> {
        let lock = self.acquire(File::lock).await?;
        Ok(Collecting { _lock: lock })
    }

    /// A lock belongs to the opened file, so every holder opens it for himself.
    async fn acquire(&self, take: fn(&File) -> io::Result<()>) -> Result<File, BlobError> {
        let (lock_path, gate_path) = (self.lock.clone(), self.gate.clone());
        self.waiting
            .run(move || {
                let gate = open(&gate_path).map_err(BlobError::disk("open", &gate_path))?;
                gate.lock().map_err(BlobError::disk("lock", &gate_path))?;
                let lock = open(&lock_path).map_err(BlobError::disk("open", &lock_path))?;
                take(&lock).map_err(BlobError::disk("lock", &lock_path))?;
                Ok(lock)
            })
            .await
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}
