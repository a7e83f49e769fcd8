//! The file cache: whole files under the SHA-256 of their content, and nothing else.
//!
//! Knows no names but hashes and no protocol, and but for `scrub` no database. What a client calls a
//! file never becomes a path here.
//!
//! In reading order: `blobs` is the handle that others use; `staging` receives a file, in the
//! folders of `temp`; `finished` is one that is whole; a [`BlobStore`] keeps it, which is the disk
//! (`disk`) or a bucket (`bucket`); `file` is a kept one, open; `lock` keeps deletion and publication apart;
//! `scrub` looks whether all is well.
//!
//! ```text
//! filecache/
//!   blobs/ab/cd/<sha256>   kept files; never changed, never half there
//!   tmp/<process>/<n>      files being received, see `temp.rs`
//!   quarantine/<sha256>    files whose content was not what their name says, see `scrub.rs`
//!   uploads/<id>, <id>.json  uploads that can be resumed, see `partial`
//!   .locks/ab              held while a file is published or deleted, see `lock.rs`
//!   update.version, …      plain files the operator put here to be downloaded
//! ```

mod blobs;
mod bucket;
mod checksum;
#[cfg(feature = "contract")]
pub mod contract;
mod disk;
mod fault;
mod file;
mod finished;
mod lock;
mod partial;
mod plain;
pub mod scrub;
mod staging;
mod temp;

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rustix::io::Errno;
use thiserror::Error;

use crate::id::BlobId;

pub use blobs::Blobs;
pub use bucket::{BucketError, BucketStore};
pub use checksum::Checksum;
pub use disk::DiskStore;
pub use file::{BlobFile, Digest};
pub use finished::FinishedFile;
pub use lock::{Collecting, Publishing};
pub use partial::{Content, Found, Partials, UploadId};
pub use plain::PlainName;
pub use staging::Staging;

/// What the system says when it cannot now. That something is not there, where nobody asked whether
/// it is, means that somebody deleted it under us, and folders are made anew for who tries again.
const PASSING: [Errno; 5] = [
    Errno::IO,
    Errno::ROFS,
    Errno::MFILE,
    Errno::NFILE,
    Errno::NOENT,
];

/// Something about the file cache that did not work.
#[derive(Debug, Error)]
pub enum BlobError {
    #[error("cannot {doing} {}: {source}", path.display())]
    Disk {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("cannot {doing} {object} in the bucket: {source}")]
    Bucket {
        doing: &'static str,
        object: String,
        source: Box<object_store::Error>,
    },
    #[error(transparent)]
    NoBucket(Box<BucketError>),
    #[error("{promised} bytes were promised, {received} came")]
    Length { promised: u64, received: u64 },
    /// An earlier write failed or was given up half way; the file is gone.
    #[error("this upload failed before")]
    Spoiled,
    #[error("the disk has no room")]
    Full,
}

impl BlobError {
    /// Whether there is no room, rather than something broken.
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match self {
            Self::Disk { source, .. } => {
                [StorageFull, QuotaExceeded, FileTooLarge].contains(&source.kind())
            }
            Self::Full => true,
            Self::Bucket { .. } | Self::NoBucket(_) | Self::Length { .. } | Self::Spoiled => false,
        }
    }

    /// Whether the system or its disk does not do now what it should: a disk that fails or lets
    /// nobody write any more, no descriptors. Looking after it helps, and trying again later.
    pub fn is_passing(&self) -> bool {
        let Self::Disk { source, .. } = self else {
            return false;
        };
        let errno = source.raw_os_error().map(Errno::from_raw_os_error);
        errno.is_some_and(|errno| PASSING.contains(&errno))
    }

    /// Whether another process is at it.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Disk { source, .. } if source.kind() == io::ErrorKind::WouldBlock)
    }
}

impl BlobError {
    pub(super) fn disk(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk {
            doing,
            path,
            source,
        }
    }
}

/// Where files are kept. The contract, which `contract.rs` tests on every implementation:
/// what is open stays readable, with the same content, when it is kept again or forgotten.
#[async_trait]
pub trait BlobStore: std::fmt::Debug + Send + Sync + 'static {
    /// Keeps a whole file, which the disk has for sure, under its hash. On return it survives a
    /// power cut. Content that is there already stays, unless its length is wrong.
    async fn keep(&self, id: BlobId, file: FinishedFile) -> Result<(), BlobError>;

    /// Opens a kept file; `None` if there is no such.
    async fn open(&self, id: BlobId) -> Result<Option<BlobFile>, BlobError>;

    /// Removes a kept file, for good on return. Whether there was one.
    async fn forget(&self, id: BlobId) -> Result<bool, BlobError>;

    /// Takes a kept file out of the way, where an operator can look at it; afterwards there is
    /// none. Whether there was one.
    async fn quarantine(&self, id: BlobId) -> Result<bool, BlobError>;

    /// What is kept, in ascending order, at most `limit` of them.
    async fn list(&self, after: Option<BlobId>, limit: usize) -> Result<Vec<BlobId>, BlobError>;
}

/// Whether the folder was made now. Only the server itself may look inside.
fn make_folder(path: &Path) -> Result<bool, BlobError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(BlobError::disk("create", path)(error)),
    }
}

/// Makes the names in a folder survive a power cut.
fn sync_folder(path: &Path) -> Result<(), BlobError> {
    #[cfg(feature = "planted")]
    if crate::config::planted::has("folder-not-synced") {
        return Ok(());
    }
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(BlobError::disk("save", path))
}

/// A lock whose holder panicked guards plain values that are whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;
