//! Where unfinished files stand: one folder for each running server, kept by a lock.
//!
//! A server that dies leaves its folder without a lock; the next one to start removes it. A folder
//! whose lock is held belongs to a living server and is never touched, so several servers can share
//! a file cache.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::{BlobError, lock, make_folder};
use crate::pool::BlockingPool;

/// Held while folders are made or removed: otherwise another server could take a new folder, whose
/// lock is not taken yet, for a dead one.
const GATE: &str = ".gate";
const LOCK: &str = "lock";

/// The part of the file cache that is always on the local disk.
#[derive(Debug)]
pub(super) struct Area {
    root: PathBuf,
    pool: BlockingPool,
    /// Where this server's unfinished files stand; made anew if somebody deletes it.
    folder: Mutex<Arc<Folder>>,
    #[cfg(test)]
    pretended_free: Mutex<Option<u64>>,
}

impl Area {
    pub(super) fn open(root: &Path, pool: BlockingPool) -> Result<Self, BlobError> {
        Ok(Self {
            root: root.to_owned(),
            pool,
            folder: Mutex::new(Folder::make(&root.join("tmp"))?),
            #[cfg(test)]
            pretended_free: Mutex::default(),
        })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn pool(&self) -> &BlockingPool {
        &self.pool
    }

    /// A new empty file. Blocks.
    pub(super) fn create(&self) -> Result<TempFile, BlobError> {
        let folder = Arc::clone(&lock(&self.folder));
        match folder.create() {
            Err(BlobError::Disk { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                tracing::warn!("the folder for unfinished files was deleted; making it anew");
                let folder = Folder::make(&self.root.join("tmp"))?;
                *lock(&self.folder) = Arc::clone(&folder);
                folder.create()
            }
            created => created,
        }
    }
}

/// An unfinished file. Dropping it deletes it, unless it was moved away.
#[derive(Debug)]
pub(super) struct TempFile {
    path: PathBuf,
    file: Arc<File>,
    /// Keeps the folder's lock for as long as the file is in there.
    folder: Option<Arc<Folder>>,
}

impl TempFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// It stands elsewhere now.
    pub(super) fn moved(&mut self) {
        self.folder = None;
    }

    /// Deletes it at once. Blocks.
    pub(super) fn remove(mut self) {
        if let Some(folder) = self.folder.take() {
            remove(&self.path, folder);
        }
    }
}

impl Drop for TempFile {
    /// Deleting a large file takes a disk some time, so it is not done on the runtime's threads.
    fn drop(&mut self) {
        let Some(folder) = self.folder.take() else {
            return;
        };
        let path = std::mem::take(&mut self.path);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || remove(&path, folder))),
            Err(_) => remove(&path, folder),
        }
    }
}

/// If this fails, the file goes with its folder, now or at the next start. Where the folder was
/// deleted and made anew, the path is that of somebody else's file.
fn remove(path: &Path, folder: Arc<Folder>) {
    if folder.is_still_there() {
        let _ = fs::remove_file(path);
    }
    drop(folder);
}

/// A server's own folder of unfinished files. Dropping it removes it.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Open as long as the folder is ours; the lock ends with it, also when the process is killed.
    lock: File,
    next: AtomicU64,
}

impl Folder {
    /// Removes what dead servers left in `tmp` and makes a folder of our own there.
    fn make(tmp: &Path) -> Result<Arc<Self>, BlobError> {
        fs::create_dir_all(tmp.parent().unwrap_or(tmp)).map_err(BlobError::disk("create", tmp))?;
        make_folder(tmp)?;
        let gate_path = tmp.join(GATE);
        let gate = create(&gate_path).map_err(BlobError::disk("create", &gate_path))?;
        gate.lock().map_err(BlobError::disk("lock", &gate_path))?;
        sweep(tmp)?;
        let path = make_own(tmp)?;
        let lock_path = path.join(LOCK);
        let lock = create(&lock_path).map_err(BlobError::disk("create", &lock_path))?;
        lock.lock().map_err(BlobError::disk("lock", &lock_path))?;
        Ok(Arc::new(Self {
            path,
            lock,
            next: AtomicU64::new(0),
        }))
    }

    /// A new empty file.
    fn create(self: &Arc<Self>) -> Result<TempFile, BlobError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(number.to_string());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(BlobError::disk("create", &path))?;
        Ok(TempFile {
            path,
            file: Arc::new(file),
            folder: Some(Arc::clone(self)),
        })
    }

    /// If our folder was deleted, another may have been made under the same name since. The lock
    /// file tells them apart: as long as ours is open, no other file has its number.
    fn is_still_there(&self) -> bool {
        match (self.lock.metadata(), fs::metadata(self.path.join(LOCK))) {
            (Ok(ours), Ok(there)) => ours.ino() == there.ino() && ours.dev() == there.dev(),
            _ => false,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Whatever fails here is removed at the next start.
        if self.is_still_there() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// Process numbers repeat (in a container it is always 1), hence the second number.
fn make_own(tmp: &Path) -> Result<PathBuf, BlobError> {
    let process = std::process::id();
    let mut number = 0_u32;
    loop {
        let path = tmp.join(format!("{process}-{number}"));
        if make_folder(&path)? {
            return Ok(path);
        }
        number += 1;
    }
}

/// Removes everything in `tmp` that no living server holds. Called with the gate locked.
fn sweep(tmp: &Path) -> Result<(), BlobError> {
    for entry in fs::read_dir(tmp).map_err(BlobError::disk("read", tmp))? {
        let entry = entry.map_err(BlobError::disk("read", tmp))?;
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if entry.file_name() == GATE || (is_folder && is_held(&path)) {
            continue;
        } else if is_folder {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match removed {
            Ok(()) => tracing::info!(path = %path.display(), "removed unfinished files"),
            // Disk space lost, nothing worse: no reason not to start.
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "cannot remove unfinished files");
            }
        }
    }
    Ok(())
}

/// Whether a living server holds the folder; in doubt, yes. Without a lock file nobody does: it is
/// made under the same gate as the folder.
fn is_held(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
impl Area {
    /// How much room a test says that the disk has.
    pub(super) fn pretended_free(&self) -> &Mutex<Option<u64>> {
        &self.pretended_free
    }
}

#[cfg(test)]
impl TempFile {
    pub(super) fn replace_file(&mut self, file: File) {
        self.file = Arc::new(file);
    }
}
