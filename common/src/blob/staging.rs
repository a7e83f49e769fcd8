//! A file while it is being received: written and hashed piece by piece, then published or gone.
//!
//! Knows nothing of who sends it or what it will be called.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

use super::temp::Folder;
use super::{BlobError, Cache, lock, sync_folder};
use crate::id::BlobId;

/// After so many bytes the disk is told to write what it has, while more is being received.
/// Otherwise the whole file waits for the fsync at the end, and the old Android client gives up on
/// an answer after half a second: 4 MiB take a slow disk (20 MB/s) a fifth of one.
const FLUSH_BYTES: u64 = 4 << 20;

/// What the content received so far amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    pub blob: BlobId,
    pub md5: [u8; 16],
    pub size: u64,
}

impl Digest {
    /// The MD5 as the old clients write it: 32 lower-case hexadecimal digits.
    pub fn md5_hex(&self) -> String {
        self.md5.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A file being received. Dropping it deletes what was received.
#[derive(Debug)]
pub struct Staging {
    cache: Arc<Cache>,
    /// `None` while a piece is being written, and for good if that fails.
    temp: Option<Temp>,
    pub(super) flushing: Option<JoinHandle<io::Result<()>>>,
    unflushed: u64,
}

impl Staging {
    pub(super) async fn begin(cache: Arc<Cache>) -> Result<Self, BlobError> {
        let there = Arc::clone(&cache);
        let temp = cache.pool.run(move || Temp::create(&there)).await?;
        Ok(Self {
            cache,
            temp: Some(temp),
            flushing: None,
            unflushed: 0,
        })
    }

    /// Appends a piece. After an error, or when given up half way, the file is gone.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        let mut temp = self.temp.take().ok_or(BlobError::Spoiled)?;
        self.unflushed += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let work = move || temp.write(&piece).map(|()| temp);
        let temp = self.cache.pool.run(work).await?;
        self.flush_if_due(&temp).await?;
        self.temp = Some(temp);
        Ok(())
    }

    /// Bytes received so far.
    pub fn size(&self) -> u64 {
        self.temp.as_ref().map_or(0, |temp| temp.size)
    }

    /// What the content amounts to. Costs nothing: the hashing is done already.
    pub fn digest(&self) -> Result<Digest, BlobError> {
        self.temp
            .as_ref()
            .map(Temp::digest)
            .ok_or(BlobError::Spoiled)
    }

    /// Publishes the file: afterwards it survives a power cut, whole, under its hash.
    pub async fn finish(mut self, promised: u64) -> Result<BlobId, BlobError> {
        let temp = self.temp.take().ok_or(BlobError::Spoiled)?;
        let received = temp.size;
        if received != promised {
            self.temp = Some(temp);
            return Err(BlobError::Length { promised, received });
        }
        if let Some(flushing) = self.flushing.take() {
            flushed(flushing.await, &temp)?;
        }
        let cache = Arc::clone(&self.cache);
        self.cache.pool.run(move || temp.publish(&cache)).await
    }

    /// The kernel reports a failed write once for each open file, so the outcome of an early flush
    /// must be looked at: the last fsync would say that all is well.
    async fn flush_if_due(&mut self, temp: &Temp) -> Result<(), BlobError> {
        if self.unflushed < FLUSH_BYTES {
            return Ok(());
        }
        if self
            .flushing
            .as_ref()
            .is_some_and(|flush| !flush.is_finished())
        {
            return Ok(());
        }
        if let Some(done) = self.flushing.take() {
            flushed(done.await, temp)?;
        }
        self.unflushed = 0;
        let file = Arc::clone(&temp.file);
        let pool = self.cache.pool.clone();
        self.flushing = Some(tokio::spawn(async move {
            pool.run(move || file.sync_data()).await
        }));
        Ok(())
    }
}

impl Drop for Staging {
    /// Deleting a large file takes a disk some time, so it is not done on the runtime's threads.
    fn drop(&mut self) {
        let runtime = tokio::runtime::Handle::try_current();
        if let (Some(temp), Ok(runtime)) = (self.temp.take(), runtime) {
            runtime.spawn_blocking(move || drop(temp));
        }
    }
}

fn flushed(
    outcome: Result<io::Result<()>, tokio::task::JoinError>,
    temp: &Temp,
) -> Result<(), BlobError> {
    outcome
        .unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
        .map_err(BlobError::disk("save", &temp.path))
}

/// The unfinished file itself. Used on blocking threads only.
#[derive(Debug)]
struct Temp {
    file: Arc<File>,
    path: PathBuf,
    sha256: Sha256,
    md5: Md5,
    size: u64,
    published: bool,
    /// Keeps the folder's lock for as long as the file is in there.
    _folder: Arc<Folder>,
}

impl Temp {
    fn create(cache: &Cache) -> Result<Self, BlobError> {
        let (folder, path, file) = cache.temp_file()?;
        Ok(Self {
            file: Arc::new(file),
            path,
            sha256: Sha256::new(),
            md5: Md5::new(),
            size: 0,
            published: false,
            _folder: folder,
        })
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), BlobError> {
        (&*self.file)
            .write_all(piece)
            .map_err(BlobError::disk("write", &self.path))?;
        self.sha256.update(piece);
        self.md5.update(piece);
        self.size += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    fn digest(&self) -> Digest {
        Digest {
            blob: BlobId(self.sha256.clone().finalize().into()),
            md5: self.md5.clone().finalize().into(),
            size: self.size,
        }
    }

    /// The order matters: the content is on the disk before the name, the name before the answer.
    /// An fsync that failed is not repeated: the kernel has forgotten what it could not write.
    fn publish(mut self, cache: &Cache) -> Result<BlobId, BlobError> {
        self.file
            .sync_all()
            .map_err(BlobError::disk("save", &self.path))?;
        let id = self.digest().blob;
        let folder = cache.make_folders(id)?;
        let target = cache.path_of(id);
        match fs::symlink_metadata(&target) {
            // The same content, published before: that one stays.
            Ok(about) if about.is_file() && about.len() == self.size => {}
            Ok(_) => {
                tracing::warn!(blob = %id, "the stored file was damaged; replacing it");
                self.rename(&target)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.rename(&target)?,
            Err(error) => return Err(BlobError::disk("look at", &target)(error)),
        }
        if let Err(error) = sync_folder(&folder) {
            lock(&cache.durable).remove(&[id.0[0], id.0[1]]);
            return Err(error);
        }
        Ok(id)
    }

    fn rename(&mut self, target: &std::path::Path) -> Result<(), BlobError> {
        fs::rename(&self.path, target).map_err(BlobError::disk("publish", &self.path))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.published {
            // If this fails, the file goes with its folder, now or at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}
