//! The store on this machine's disk: one file a blob, `blobs/ab/cd/<sha256>`.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::fault::{Step, reach};
use super::{BlobError, BlobFile, BlobStore, FinishedFile, lock, make_folder, plain, sync_folder};
use crate::id::BlobId;
use crate::pool::BlockingPool;

/// Keeps files under `blobs` of the file cache.
#[derive(Clone, Debug)]
pub struct DiskStore {
    disk: Arc<Disk>,
    pool: BlockingPool,
}

#[derive(Debug)]
struct Disk {
    /// The file cache.
    root: PathBuf,
    /// The `ab/cd` folders whose own entries are known to survive a power cut.
    durable: Mutex<HashSet<[u8; 2]>>,
}

impl DiskStore {
    pub(super) fn new(filecache: &Path, pool: BlockingPool) -> Self {
        Self {
            disk: Arc::new(Disk {
                root: filecache.to_owned(),
                durable: Mutex::new(HashSet::new()),
            }),
            pool,
        }
    }

    async fn run<T, F>(&self, work: F) -> Result<T, BlobError>
    where
        T: Send + 'static,
        F: FnOnce(&Disk) -> Result<T, BlobError> + Send + 'static,
    {
        let disk = Arc::clone(&self.disk);
        self.pool.run(move || work(&disk)).await
    }
}

#[async_trait]
impl BlobStore for DiskStore {
    async fn keep(&self, id: BlobId, file: FinishedFile) -> Result<(), BlobError> {
        self.run(move |disk| disk.keep(id, file)).await
    }

    async fn open(&self, id: BlobId) -> Result<Option<BlobFile>, BlobError> {
        let opened = match plain::open_at_hand(&self.disk.path_of(id)) {
            Some(opened) => Some(opened),
            None => {
                let open = self.run(move |disk| plain::open_regular(&disk.path_of(id)));
                open.await?
            }
        };
        let pool = self.pool.clone();
        Ok(opened.map(|(file, len)| BlobFile::on_disk(Arc::new(file), len, pool)))
    }

    async fn forget(&self, id: BlobId) -> Result<bool, BlobError> {
        self.run(move |disk| disk.forget(id)).await
    }

    async fn quarantine(&self, id: BlobId) -> Result<bool, BlobError> {
        self.run(move |disk| disk.quarantine(id)).await
    }

    async fn list(&self, after: Option<BlobId>, limit: usize) -> Result<Vec<BlobId>, BlobError> {
        self.run(move |disk| disk.list(after, limit)).await
    }
}

impl Disk {
    fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    fn folder_of(&self, id: BlobId) -> PathBuf {
        let [first, second, ..] = id.0;
        let middle = self.blobs().join(format!("{first:02x}"));
        middle.join(format!("{second:02x}"))
    }

    fn path_of(&self, id: BlobId) -> PathBuf {
        let name = id.to_string();
        self.root
            .join(format!("blobs/{}/{}/{name}", &name[..2], &name[2..4]))
    }

    /// The order matters: the content is on the disk before the name, the name before the answer.
    fn keep(&self, id: BlobId, mut file: FinishedFile) -> Result<(), BlobError> {
        let folder = self.make_folders(id)?;
        reach(Step::Folders);
        let target = self.path_of(id);
        let publish = |file: &mut FinishedFile| {
            let path = file.path().to_owned();
            file.rename(&target)
                .map_err(BlobError::disk("publish", &path))
        };
        let mut is_needless = false;
        match fs::symlink_metadata(&target) {
            Ok(about) if about.is_file() && about.len() == file.len() => is_needless = true,
            Ok(_) => {
                tracing::warn!(blob = %id, "the stored file was damaged; replacing it");
                publish(&mut file)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => publish(&mut file)?,
            Err(error) => return Err(BlobError::disk("look at", &target)(error)),
        }
        reach(Step::Named);
        // Also for content that was there: whoever put it there may not have come so far yet.
        if let Err(error) = sync_folder(&folder) {
            lock(&self.durable).remove(&[id.0[0], id.0[1]]);
            return Err(error);
        }
        reach(Step::Kept);
        if is_needless {
            file.discard();
        }
        Ok(())
    }

    /// Makes `blobs/ab/cd` and makes sure that a power cut does not undo it. Another process may
    /// have made the folders without having reached its fsync yet, so finding them is not enough.
    fn make_folders(&self, id: BlobId) -> Result<PathBuf, BlobError> {
        let leaf = self.folder_of(id);
        let key = [id.0[0], id.0[1]];
        let blobs = self.blobs();
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

    fn forget(&self, id: BlobId) -> Result<bool, BlobError> {
        let path = self.path_of(id);
        match fs::remove_file(&path) {
            Ok(()) => sync_folder(&self.folder_of(id)).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(BlobError::disk("delete", &path)(error)),
        }
    }

    /// Also over one that came there before.
    fn quarantine(&self, id: BlobId) -> Result<bool, BlobError> {
        let quarantine = self.root.join("quarantine");
        make_folder(&quarantine)?;
        let path = self.path_of(id);
        match fs::rename(&path, quarantine.join(id.to_string())) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(BlobError::disk("move to quarantine", &path)(error)),
        }
        for folder in [&self.root, &quarantine, &self.folder_of(id)] {
            sync_folder(folder)?;
        }
        Ok(true)
    }

    fn list(&self, after: Option<BlobId>, limit: usize) -> Result<Vec<BlobId>, BlobError> {
        let mut found = Vec::new();
        let [first, second, ..] = after.map_or([0; 32], |after| after.0);
        for (middle, folder) in bytes_in(&self.blobs(), first)? {
            let from = if middle == first { second } else { 0 };
            for (_, leaf) in bytes_in(&folder, from)? {
                found.extend(blobs_in(&leaf)?.into_iter().filter(|id| Some(*id) > after));
                if found.len() >= limit {
                    found.truncate(limit);
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }
}

/// The folders in `folder` that are named by a byte, two hexadecimal digits, beginning with `from`.
fn bytes_in(folder: &Path, from: u8) -> Result<Vec<(u8, PathBuf)>, BlobError> {
    let byte = |name: String| {
        let byte = u8::from_str_radix(&name, 16).ok()?;
        let is_ours = name == format!("{byte:02x}") && byte >= from;
        is_ours.then(|| (byte, folder.join(name)))
    };
    let mut found: Vec<_> = names_in(folder)?.into_iter().filter_map(byte).collect();
    found.sort();
    Ok(found)
}

fn blobs_in(folder: &Path) -> Result<Vec<BlobId>, BlobError> {
    let names = names_in(folder)?.into_iter();
    let mut found: Vec<BlobId> = names.filter_map(|name| BlobId::from_hex(&name)).collect();
    found.sort();
    Ok(found)
}

/// What is not readable as text is not ours.
fn names_in(folder: &Path) -> Result<Vec<String>, BlobError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // Not made yet, or a stray file.
        Err(error) if is_no_folder(&error) => return Ok(Vec::new()),
        Err(error) => return Err(BlobError::disk("read", folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(BlobError::disk("read", folder))?;
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}

fn is_no_folder(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
