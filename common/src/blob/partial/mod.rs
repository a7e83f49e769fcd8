//! Uploads that survive interruptions: what came so far, and a note of whom it is for.
//!
//! One that rests costs two files and nothing else: no descriptor, no task, no memory. The length
//! of the content file is how far the upload got; the time of its last change is when. What the
//! note says is up to the caller.
//!
//! ```text
//! filecache/uploads/<id>        the content so far; moves away when it is kept
//! filecache/uploads/<id>.json   the note; replaced as a whole
//! filecache/uploads/<id>.new    a note that is being written
//! ```

mod content;
mod memory;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::{BlobError, Blobs, make_folder, sync_folder};
use crate::id::Millis;
use memory::Memory;

pub use content::Content;

/// A longer note was not written by us.
const NOTE_BYTES_MAX: u64 = 1 << 20;

/// Content is copied in steps of this size; between two steps others get their turn.
const COPIED_BYTES: u64 = 64 << 20;

/// The name of an upload: random, so that nobody guesses another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadId([u8; 16]);

impl UploadId {
    /// A new one.
    pub fn random() -> Result<Self, BlobError> {
        let mut bytes = [0; 16];
        let failed = |error: getrandom::Error| io::Error::other(error.to_string());
        getrandom::fill(&mut bytes)
            .map_err(failed)
            .map_err(BlobError::disk("name an upload in", Path::new("uploads")))?;
        Ok(Self(bytes))
    }

    /// Reads the 32 lower-case hexadecimal digits that [`fmt::Display`] writes.
    pub fn from_hex(text: &str) -> Option<Self> {
        let is_digit = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.as_bytes().iter().all(is_digit) {
            return None;
        }
        u128::from_str_radix(text, 16)
            .ok()
            .map(|number| Self(number.to_be_bytes()))
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// An upload as it lies on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub note: Vec<u8>,
    /// How much came so far; `None` if there is no content (any more).
    pub received: Option<u64>,
    /// When something was last done about it.
    pub touched: Millis,
}

/// What a step of copying did.
struct Copied {
    copied: u64,
    /// Of the target.
    length: u64,
}

/// The folder of the uploads.
#[derive(Clone, Debug)]
pub struct Partials {
    blobs: Blobs,
    folder: Arc<PathBuf>,
    memory: Arc<Memory>,
}

impl Partials {
    /// Makes the folder if it is not there. Blocks for a few disk accesses: meant for the start of a
    /// program.
    pub fn open(blobs: &Blobs) -> Result<Self, BlobError> {
        let partials = Self {
            blobs: blobs.clone(),
            folder: Arc::new(blobs.folder("uploads")),
            memory: Arc::new(Memory::new()),
        };
        partials.make_folder()?;
        Ok(partials)
    }

    fn make_folder(&self) -> Result<(), BlobError> {
        if make_folder(&self.folder)? {
            sync_folder(self.folder.parent().unwrap_or(&self.folder))?;
        }
        Ok(())
    }

    fn path(&self, id: UploadId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    fn note_path(&self, id: UploadId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    async fn run<T, F>(&self, work: F) -> Result<T, BlobError>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T, BlobError> + Send + 'static,
    {
        let there = self.clone();
        self.blobs.pool().run(move || work(&there)).await
    }

    /// Begins an upload without content. On return it survives a power cut. `then` is called when
    /// it is there, also if nobody waits for that any more.
    pub async fn create(
        &self,
        id: UploadId,
        note: Vec<u8>,
        then: impl FnOnce() + Send + 'static,
    ) -> Result<(), BlobError> {
        self.run(move |there| {
            there.create_content(&there.path(id))?;
            there.write_note(id, &note, true)?;
            then();
            Ok(())
        })
        .await
    }

    fn create_content(&self, path: &Path) -> Result<(), BlobError> {
        let created = match create_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tracing::warn!("the folder of resumable uploads was deleted; making it anew");
                self.make_folder()?;
                create_file(path)
            }
            created => created,
        };
        created.map(drop).map_err(BlobError::disk("create", path))
    }

    /// Looks an upload up; `None` if there is none.
    pub async fn find(&self, id: UploadId) -> Result<Option<Found>, BlobError> {
        self.run(move |there| there.look(id)).await
    }

    fn look(&self, id: UploadId) -> Result<Option<Found>, BlobError> {
        let note_path = self.note_path(id);
        let file = match File::open(&note_path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BlobError::disk("open", &note_path)(error)),
        };
        let mut note = Vec::new();
        let noted = (|| {
            let changed = file.metadata()?.modified()?;
            (&file).take(NOTE_BYTES_MAX).read_to_end(&mut note)?;
            Ok(millis(changed))
        })();
        let noted = noted.map_err(BlobError::disk("read", &note_path))?;
        let path = self.path(id);
        let (received, touched) = match fs::symlink_metadata(&path) {
            Ok(about) => {
                let changed = about
                    .modified()
                    .map_err(BlobError::disk("look at", &path))?;
                (Some(about.len()), millis(changed))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (None, noted),
            Err(error) => return Err(BlobError::disk("look at", &path)(error)),
        };
        Ok(Some(Found {
            note,
            received,
            touched,
        }))
    }

    /// Replaces the note: afterwards there is either the old one or the new one, whatever happens.
    /// With `is_durable` the new one survives a power cut.
    pub async fn note(
        &self,
        id: UploadId,
        note: Vec<u8>,
        is_durable: bool,
    ) -> Result<(), BlobError> {
        self.run(move |there| there.write_note(id, &note, is_durable))
            .await
    }

    fn write_note(&self, id: UploadId, note: &[u8], is_durable: bool) -> Result<(), BlobError> {
        let fresh = self.folder.join(format!("{id}.new"));
        let written = (|| {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&fresh)?;
            file.write_all(note)?;
            // Before the name, or a power cut could leave an empty note.
            file.sync_all()?;
            fs::rename(&fresh, self.note_path(id))
        })();
        written.map_err(BlobError::disk("write", &fresh))?;
        if is_durable {
            sync_folder(&self.folder)?;
        }
        Ok(())
    }

    /// Opens the content to be added to; `None` if there is none. Fails with
    /// [`io::ErrorKind::WouldBlock`] inside if another process has it open. `held` is kept until
    /// the last write is over, also one that nobody waits for any more.
    pub async fn open_content(
        &self,
        id: UploadId,
        with_md5: bool,
        held: Arc<dyn fmt::Debug + Send + Sync>,
    ) -> Result<Option<Content>, BlobError> {
        let opened = self.run(move |there| {
            let path = there.path(id);
            let file = match OpenOptions::new().read(true).write(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(BlobError::disk("open", &path)(error)),
            };
            file.try_lock()
                .map_err(io::Error::from)
                .map_err(BlobError::disk("lock", &path))?;
            let about = file.metadata().map_err(BlobError::disk("look at", &path))?;
            Ok(Some((path, file, about.len())))
        });
        let Some((path, file, size)) = opened.await? else {
            return Ok(None);
        };
        let sums = self.memory.take(id, size, with_md5);
        let there = (self.clone(), id);
        let file = (path, file, size);
        Ok(Some(Content::new(there, file, sums, with_md5, held)))
    }

    /// Appends what came of one upload to another that nobody else works on; tells how long that is
    /// now. A part that is gone adds nothing.
    pub async fn copy(&self, from: UploadId, to: UploadId) -> Result<u64, BlobError> {
        let mut at = 0;
        loop {
            let step = self.run(move |there| there.copy_step(from, at, to)).await?;
            at += step.copied;
            if step.copied == 0 {
                return Ok(step.length);
            }
        }
    }

    fn copy_step(&self, from: UploadId, at: u64, to: UploadId) -> Result<Copied, BlobError> {
        let (source, target) = (self.path(from), self.path(to));
        let copied = (|| {
            let mut target = OpenOptions::new().append(true).open(&target)?;
            let copied = match File::open(&source) {
                Ok(mut source) => {
                    source.seek(io::SeekFrom::Start(at))?;
                    io::copy(&mut source.take(COPIED_BYTES), &mut target)?
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
                Err(error) => return Err(error),
            };
            let length = target.metadata()?.len();
            Ok(Copied { copied, length })
        })();
        copied.map_err(BlobError::disk("copy to", &target))
    }

    /// Removes an upload and everything about it. Whether there was one.
    pub async fn remove(&self, id: UploadId) -> Result<bool, BlobError> {
        self.memory.forget(id);
        self.run(move |there| there.delete(id)).await
    }

    /// The note goes last: as long as it is there, the rest is found again.
    fn delete(&self, id: UploadId) -> Result<bool, BlobError> {
        let mut was_there = false;
        let paths = [
            self.path(id),
            self.folder.join(format!("{id}.new")),
            self.note_path(id),
        ];
        for path in paths {
            match fs::remove_file(&path) {
                Ok(()) => was_there = true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(BlobError::disk("delete", &path)(error)),
            }
        }
        Ok(was_there)
    }

    /// The uploads that are there.
    pub async fn list(&self) -> Result<Vec<UploadId>, BlobError> {
        self.run(|there| {
            let folder: &Path = &there.folder;
            let mut found = Vec::new();
            let entries = match fs::read_dir(folder) {
                // Somebody deleted it, and all uploads with it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
                entries => entries.map_err(BlobError::disk("read", folder))?,
            };
            for entry in entries {
                let entry = entry.map_err(BlobError::disk("read", folder))?;
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let id = UploadId::from_hex(name.split('.').next().unwrap_or_default());
                found.extend(id);
            }
            found.sort_unstable();
            found.dedup();
            Ok(found)
        })
        .await
    }

    /// Removes an upload if nothing was done about it since `before` and nobody is at it. Whether
    /// it was removed.
    pub async fn remove_if_older(&self, id: UploadId, before: Millis) -> Result<bool, BlobError> {
        let removed = self.run(move |there| {
            if there.newest_change(id) >= Some(before) {
                return Ok(false);
            }
            // Somebody may have begun to add to it this moment.
            let content = File::open(there.path(id)).ok();
            if content
                .as_ref()
                .is_some_and(|file| file.try_lock().is_err())
            {
                return Ok(false);
            }
            if there.newest_change(id) >= Some(before) {
                return Ok(false);
            }
            there.delete(id)
        });
        let removed = removed.await?;
        if removed {
            self.memory.forget(id);
        }
        Ok(removed)
    }

    /// When any of its files was last changed; `None` if there is none.
    fn newest_change(&self, id: UploadId) -> Option<Millis> {
        let paths = [
            self.path(id),
            self.note_path(id),
            self.folder.join(format!("{id}.new")),
        ];
        let changed = |path: &PathBuf| fs::symlink_metadata(path).ok()?.modified().ok();
        paths.iter().filter_map(changed).map(millis).max()
    }
}

fn create_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn millis(time: std::time::SystemTime) -> Millis {
    let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
