//! The file that comes down: what of it is there, and its hash so far.

use std::fs::TryLockError;
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::TempPath;
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::error::{Error, Result};
use crate::model::BlobId;

/// How much is read at a time of what is there already.
const READ_BYTES: usize = 256 * 1024;

/// `NAME.part` beside the target.
pub(super) struct Part {
    to: PathBuf,
    path: PathBuf,
    file: File,
    hash: Sha256,
    pub(super) len: u64,
    /// Whether it begins with what an earlier run left. It may be of another file.
    pub(super) is_older: bool,
}

pub(super) fn unusable(path: &Path, cause: &impl ToString) -> Error {
    Error::File {
        path: path.display().to_string(),
        cause: cause.to_string(),
    }
}

/// # Errors
/// If a file stands where another one is to come.
pub(super) async fn is_free(to: &Path) -> Result<()> {
    match fs::symlink_metadata(to).await {
        Ok(_) => Err(unusable(to, &"there is a file of this name")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unusable(to, &error)),
    }
}

impl Part {
    /// Opens what there is, or begins.
    pub(super) async fn open(to: &Path) -> Result<Self> {
        let path = to.with_added_extension("part");
        let failed = |error: io::Error| unusable(&path, &error);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .await
            .map_err(failed)?;
        // Closing it, also by dying, opens the lock.
        let file = file.into_std().await;
        // Where nothing can be locked, the hash tells in the end.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(unusable(&path, &"another download writes into it"));
        }
        let mut part = Self {
            to: to.to_owned(),
            file: File::from_std(file),
            hash: Sha256::new(),
            len: 0,
            is_older: false,
            path,
        };
        part.read().await?;
        Ok(part)
    }

    /// Computes the hash of what is there.
    async fn read(&mut self) -> Result<()> {
        let mut piece = vec![0; READ_BYTES];
        loop {
            let read = self.file.read(&mut piece).await;
            let read = read.map_err(|error| unusable(&self.path, &error))?;
            if read == 0 {
                break;
            }
            self.hash.update(&piece[..read]);
            self.len += u64::try_from(read).unwrap_or(0);
        }
        self.is_older = self.len > 0;
        Ok(())
    }

    /// Throws away what is there.
    pub(super) async fn reset(&mut self) -> Result<()> {
        let emptied = async {
            self.file.flush().await?;
            self.file.set_len(0).await?;
            self.file.seek(SeekFrom::Start(0)).await
        };
        let emptied = emptied.await;
        emptied.map_err(|error| unusable(&self.path, &error))?;
        self.hash = Sha256::new();
        (self.len, self.is_older) = (0, false);
        Ok(())
    }

    pub(super) async fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes).await;
        written.map_err(|error| unusable(&self.path, &error))?;
        self.hash.update(bytes);
        self.len += u64::try_from(bytes.len()).unwrap_or(0);
        Ok(())
    }

    /// The SHA-256 of what is there.
    pub(super) fn hash(&self) -> BlobId {
        BlobId(self.hash.clone().finalize().into())
    }

    /// Removes it.
    pub(super) async fn discard(self) {
        // It is of no use; whoever comes next overwrites it.
        let _ = fs::remove_file(&self.path).await;
    }

    /// Makes it the file that was wanted. What stands there is replaced only if that was said.
    pub(super) async fn finish(mut self, replaces: bool) -> Result<()> {
        let safe = async {
            self.file.flush().await?;
            self.file.sync_all().await
        };
        let safe = safe.await;
        safe.map_err(|error| unusable(&self.path, &error))?;
        let (path, to) = (self.path.clone(), self.to.clone());
        if replaces {
            let renamed = fs::rename(&path, &to).await;
            return renamed.map_err(|error| unusable(&to, &error));
        }
        let target = to.clone();
        let renamed = tokio::task::spawn_blocking(move || {
            let part = TempPath::try_from_path(path)?;
            match part.persist_noclobber(&target) {
                Ok(()) => Ok(()),
                Err(failed) => {
                    // What came stays where it is.
                    let _ = failed.path.keep();
                    Err(failed.error)
                }
            }
        });
        let renamed = renamed.await.map_err(io::Error::other);
        match renamed.and_then(|renamed| renamed) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(unusable(&to, &"there is a file of this name"))
            }
            Err(error) => Err(unusable(&to, &error)),
        }
    }
}

impl Drop for Part {
    /// An empty one is of no use to anybody.
    fn drop(&mut self) {
        if self.len == 0 {
            // It may be the file by now, under its own name.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_there_counts() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a.zip");
        let mut part = Part::open(&to).await.unwrap();
        drop(part);
        assert!(!folder.path().join("a.zip.part").exists(), "it was empty");
        part = Part::open(&to).await.unwrap();
        assert!(!part.is_older);
        part.add(b"hello ").await.unwrap();
        assert!(Part::open(&to).await.is_err(), "one at a time");
        part.file.flush().await.unwrap();
        drop(part);
        assert!(folder.path().join("a.zip.part").exists());
        let mut part = Part::open(&to).await.unwrap();
        assert_eq!((part.len, part.is_older), (6, true));
        part.add(b"world").await.unwrap();
        assert_eq!(part.hash(), BlobId(Sha256::digest(b"hello world").into()));
        part.finish(false).await.unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"hello world");
        assert!(!folder.path().join("a.zip.part").exists());
    }

    #[tokio::test]
    async fn nothing_is_overwritten_silently() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a");
        is_free(&to).await.unwrap();
        let mut part = Part::open(&to).await.unwrap();
        part.add(b"older").await.unwrap();
        part.reset().await.unwrap();
        part.add(b"new").await.unwrap();
        // It came up meanwhile.
        std::fs::write(&to, "mine").unwrap();
        assert!(is_free(&to).await.is_err());
        assert!(part.finish(false).await.is_err());
        assert_eq!(std::fs::read(&to).unwrap(), b"mine");
        let part = Part::open(&to).await.unwrap();
        assert_eq!(part.len, 3, "what came is kept");
        part.finish(true).await.unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"new");
    }
}
