//! A whole local file on its way into the store.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::temp::TempFile;

/// A file whose content is complete and synced to the disk. What becomes of it when the store does
/// not take it depends on where it stands.
#[derive(Debug)]
pub struct FinishedFile {
    place: Place,
    file: Arc<File>,
    len: u64,
}

#[derive(Debug)]
enum Place {
    /// It is deleted.
    Temporary(TempFile),
    /// It stays, so that keeping it can be tried again.
    Upload(PathBuf),
}

impl FinishedFile {
    /// A file that stays at `path` if it cannot be kept: what a resumable upload has received.
    /// `file` is open for reading; everything is synced.
    pub fn uploaded(path: PathBuf, file: Arc<File>, len: u64) -> Self {
        Self {
            place: Place::Upload(path),
            file,
            len,
        }
    }

    pub(super) fn temporary(temp: TempFile, len: u64) -> Self {
        Self {
            file: Arc::clone(temp.file()),
            place: Place::Temporary(temp),
            len,
        }
    }

    pub fn path(&self) -> &Path {
        match &self.place {
            Place::Temporary(temp) => temp.path(),
            Place::Upload(path) => path,
        }
    }

    /// The file, open for reading.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Moves it to its place in the store. Blocks.
    pub(super) fn rename(&mut self, target: &Path) -> io::Result<()> {
        fs::rename(self.path(), target)?;
        if let Place::Temporary(temp) = &mut self.place {
            temp.moved();
        }
        Ok(())
    }

    /// Deletes it: the store has the content. Blocks.
    pub(super) fn discard(self) {
        match self.place {
            Place::Temporary(temp) => temp.remove(),
            Place::Upload(path) => {
                if let Err(error) = fs::remove_file(&path) {
                    tracing::warn!(path = %path.display(), %error, "cannot delete a kept upload");
                }
            }
        }
    }
}
