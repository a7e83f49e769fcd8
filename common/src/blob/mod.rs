//! The file cache on disk: whole files under the SHA-256 of their content, and nothing else.
//!
//! Knows no names but hashes, no protocol and no database. What a client calls a file never becomes
//! a path here.
//!
//! ```text
//! filecache/
//!   blobs/ab/cd/<sha256>   published files; never changed, never half there
//!   tmp/<process>/<n>      files being received, see `temp.rs`
//!   update.version, …      plain files the operator put here to be downloaded
//! ```

mod plain;
mod staging;
mod temp;

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use thiserror::Error;

use crate::id::BlobId;
use crate::pool::BlockingPool;
use temp::Folder;

pub use plain::PlainName;
pub use staging::{Digest, Staging};

/// How many pieces of disk work and hashing run at a time. More than there are cores, because a
/// thread that waits for fsync computes nothing.
const DISK_WORKERS: usize = 16;

/// Something about the file cache that did not work.
#[derive(Debug, Error)]
pub enum BlobError {
    #[error("cannot {doing} {}: {source}", path.display())]
    Disk {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("{promised} bytes were promised, {received} came")]
    Length { promised: u64, received: u64 },
    /// An earlier write failed or was given up half way; the file is gone.
    #[error("this upload failed before")]
    Spoiled,
}

impl BlobError {
    fn disk(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk {
            doing,
            path,
            source,
        }
    }
}

/// The file cache of one server. Several servers, in one process or in many, may share a directory.
#[derive(Clone, Debug)]
pub struct DiskBlobs {
    cache: Arc<Cache>,
}

#[derive(Debug)]
struct Cache {
    root: PathBuf,
    pool: BlockingPool,
    /// Where this server's unfinished files stand; made anew if somebody deletes it.
    temp: Mutex<Arc<Folder>>,
    /// The `ab/cd` folders whose own entries are known to survive a power cut.
    durable: Mutex<HashSet<[u8; 2]>>,
}

impl DiskBlobs {
    /// Opens the file cache, creating what is missing and clearing what a crashed server left
    /// half received. Blocks for a few disk accesses: meant for the start of a program.
    pub fn open(filecache: &Path) -> Result<Self, BlobError> {
        fs::create_dir_all(filecache).map_err(BlobError::disk("create", filecache))?;
        let blobs = filecache.join("blobs");
        make_folder(&blobs)?;
        let temp = Folder::make(&filecache.join("tmp"))?;
        sync_folder(filecache)?;
        Ok(Self {
            cache: Arc::new(Cache {
                root: filecache.to_owned(),
                pool: BlockingPool::new(DISK_WORKERS),
                temp: Mutex::new(temp),
                durable: Mutex::new(HashSet::new()),
            }),
        })
    }

    /// Begins a new file. It becomes visible only by [`Staging::finish`].
    pub async fn stage(&self) -> Result<Staging, BlobError> {
        Staging::begin(Arc::clone(&self.cache)).await
    }

    /// Opens a published file; `None` if there is no such.
    pub async fn read(&self, id: BlobId) -> Result<Option<BlobFile>, BlobError> {
        let path = self.cache.path_of(id);
        self.open_regular(path).await
    }

    /// Opens a plain file that the operator put into the file cache; `None` if there is none.
    /// Links, folders and devices do not count.
    pub async fn read_plain(&self, name: &PlainName) -> Result<Option<BlobFile>, BlobError> {
        let path = self.cache.root.join(name.as_str());
        self.open_regular(path).await
    }

    /// How many bytes the disk below the file cache still takes.
    pub async fn free_bytes(&self) -> Result<u64, BlobError> {
        let root = self.cache.root.clone();
        self.cache
            .pool
            .run(move || {
                let disk = rustix::fs::statvfs(&root)
                    .map_err(|errno| BlobError::disk("measure", &root)(errno.into()))?;
                Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
            })
            .await
    }

    async fn open_regular(&self, path: PathBuf) -> Result<Option<BlobFile>, BlobError> {
        let opened = self
            .cache
            .pool
            .run(move || plain::open_regular(&path))
            .await?;
        Ok(opened.map(|(file, len)| BlobFile {
            file: Arc::new(file),
            len,
            pool: self.cache.pool.clone(),
        }))
    }
}

impl Cache {
    fn path_of(&self, id: BlobId) -> PathBuf {
        self.folder_of(id).join(id.to_string())
    }

    fn folder_of(&self, id: BlobId) -> PathBuf {
        let [first, second, ..] = id.0;
        self.root
            .join("blobs")
            .join(format!("{first:02x}"))
            .join(format!("{second:02x}"))
    }

    /// Makes `blobs/ab/cd` and makes sure that a power cut does not undo it. Another process may
    /// have made the folders without having reached its fsync yet, so finding them is not enough.
    fn make_folders(&self, id: BlobId) -> Result<PathBuf, BlobError> {
        let leaf = self.folder_of(id);
        let key = [id.0[0], id.0[1]];
        let blobs = self.root.join("blobs");
        let middle = leaf.parent().unwrap_or(&blobs);
        let mut made = false;
        for folder in [&blobs, middle, &leaf] {
            made |= make_folder(folder)?;
        }
        let known = |set: &Mutex<HashSet<[u8; 2]>>| lock(set).contains(&key);
        if made || !known(&self.durable) {
            for folder in [&self.root, &blobs, middle] {
                sync_folder(folder)?;
            }
            lock(&self.durable).insert(key);
        }
        Ok(leaf)
    }

    /// This server's folder for unfinished files, made anew if it was deleted under us.
    fn temp_file(&self) -> Result<(Arc<Folder>, PathBuf, File), BlobError> {
        let folder = Arc::clone(&lock(&self.temp));
        match folder.create() {
            Ok((path, file)) => Ok((folder, path, file)),
            Err(BlobError::Disk { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                tracing::warn!("the folder for unfinished files was deleted; making it anew");
                let folder = Folder::make(&self.root.join("tmp"))?;
                *lock(&self.temp) = Arc::clone(&folder);
                let (path, file) = folder.create()?;
                Ok((folder, path, file))
            }
            Err(error) => Err(error),
        }
    }
}

/// An open file of the cache. Stays readable, with the same content, whatever happens to its name.
#[derive(Clone, Debug)]
pub struct BlobFile {
    file: Arc<File>,
    len: u64,
    pool: BlockingPool,
}

impl BlobFile {
    /// Length in bytes when it was opened.
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends `count` bytes from `offset` to `into`; fewer bytes there are an error.
    pub async fn read(
        &self,
        offset: u64,
        count: usize,
        mut into: BytesMut,
    ) -> io::Result<BytesMut> {
        let file = Arc::clone(&self.file);
        self.pool
            .run(move || {
                let start = into.len();
                into.resize(start + count, 0);
                file.read_exact_at(&mut into[start..], offset)?;
                Ok(into)
            })
            .await
    }
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
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(BlobError::disk("save", path))
}

/// A lock whose holder panicked guards plain values that are whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
