//! What was made of pictures, on the disk. If it takes too much, what was longest not asked for goes.
//!
//! ```text
//! filecache/renditions/1/ab/<sha256>.<recipe>
//! ```
//!
//! Everything in here can be made again, so losing it costs nothing but time. The number is the way
//! of making; what was made another way is thrown away at the start.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use common::blob::BlobFile;
use common::id::BlobId;
use common::pool::BlockingPool;
use lru::LruCache;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};
use thiserror::Error;
use tracing::warn;

/// Counts up when recipes of the same name make something else.
pub(crate) const WAY_OF_MAKING: &str = "1";

/// What a file takes on the disk is a multiple of this; an empty one has at least a name.
const BLOCK_BYTES: u64 = 4096;

/// Files of the cache are small and mostly in memory.
const DISK_WORKERS: usize = 8;

/// What a file that is being written is called before it has its name.
const UNFINISHED: &str = "unfinished-";

#[derive(Debug, Error)]
#[error("cannot {doing} {}: {source}", path.display())]
pub(crate) struct CacheError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CacheError {
    let path = path.to_owned();
    move |source| CacheError {
        doing,
        path,
        source,
    }
}

/// What was made of which picture.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) blob: BlobId,
    /// Letters, digits and points.
    pub(crate) recipe: String,
}

/// The made pictures of one server. Several servers may share a directory; then each keeps to the
/// budget with what it knows of.
#[derive(Clone, Debug)]
pub(crate) struct RenditionCache {
    inner: Arc<Inner>,
    pool: BlockingPool,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    bytes_max: u64,
    shelf: Mutex<Shelf>,
    written: AtomicU64,
}

/// What there is, the longest unused last.
#[derive(Debug)]
struct Shelf {
    entries: LruCache<Key, u64>,
    bytes: u64,
}

impl RenditionCache {
    /// Looks what is there. Blocks: meant for the start of a program.
    pub(crate) fn open(filecache: &Path, bytes_max: u64) -> Result<Self, CacheError> {
        let all = filecache.join("renditions");
        let root = all.join(WAY_OF_MAKING);
        for folder in [filecache, &all, &root] {
            make_folder(folder)?;
        }
        for other in entries(&all)? {
            if other != root {
                fs::remove_dir_all(&other).map_err(failed("remove", &other))?;
            }
        }
        let mut found = Vec::new();
        for folder in entries(&root)? {
            for path in entries(&folder)? {
                found.extend(known(&path)?);
            }
        }
        found.sort_by_key(|(used, _, _)| *used);
        let mut shelf = Shelf {
            entries: LruCache::unbounded(),
            bytes: 0,
        };
        for (_, key, bytes) in found {
            shelf.put(key, bytes);
        }
        let inner = Inner {
            root,
            bytes_max,
            shelf: Mutex::new(shelf),
            written: AtomicU64::new(0),
        };
        inner.make_room();
        Ok(Self {
            inner: Arc::new(inner),
            pool: BlockingPool::new(DISK_WORKERS),
        })
    }

    /// What was made before.
    pub(crate) async fn get(&self, key: &Key) -> Option<BlobFile> {
        let (inner, key) = (Arc::clone(&self.inner), key.clone());
        let opened = self.pool.run(move || inner.open_made(&key)).await;
        let (file, bytes) = opened?;
        Some(self.shown(file, bytes))
    }

    /// Keeps what was made.
    pub(crate) async fn put(&self, key: &Key, made: Vec<u8>) -> Result<BlobFile, CacheError> {
        let (inner, key) = (Arc::clone(&self.inner), key.clone());
        let kept = self.pool.run(move || inner.keep(&key, &made)).await;
        let (file, bytes) = kept?;
        Ok(self.shown(file, bytes))
    }

    /// The pictures of which something was made.
    pub(crate) fn blobs(&self) -> HashSet<BlobId> {
        let shelf = self.inner.shelf();
        shelf.entries.iter().map(|(key, _)| key.blob).collect()
    }

    /// Throws away what was made of a picture.
    pub(crate) async fn forget(&self, blob: BlobId) {
        let inner = Arc::clone(&self.inner);
        self.pool.run(move || inner.forget(blob)).await;
    }

    fn shown(&self, file: File, bytes: u64) -> BlobFile {
        BlobFile::on_disk(Arc::new(file), bytes, self.pool.clone())
    }
}

impl Inner {
    /// Short look-ups only; a holder that panicked left plain values that are whole.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path_of(&self, key: &Key) -> PathBuf {
        let Key { blob, recipe } = key;
        self.folder_of(*blob).join(format!("{blob}.{recipe}"))
    }

    fn folder_of(&self, blob: BlobId) -> PathBuf {
        self.root.join(format!("{:02x}", blob.0[0]))
    }

    fn open_made(&self, key: &Key) -> Option<(File, u64)> {
        let path = self.path_of(key);
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        match opened {
            Ok((bytes, file)) => {
                // So that it counts as used after a restart, too. Without that it would only be
                // made again.
                let _ = futimens(&file, &used_now());
                self.shelf().put(key.clone(), bytes);
                Some((file, bytes))
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    warn!(%error, path = %path.display(), "a rendition cannot be read");
                }
                self.shelf().take(key);
                None
            }
        }
    }

    fn keep(&self, key: &Key, made: &[u8]) -> Result<(File, u64), CacheError> {
        let folder = self.folder_of(key.blob);
        make_folder(&folder)?;
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let unfinished = folder.join(format!("{UNFINISHED}{process}-{number}"));
        let path = self.path_of(key);
        let file = write_synced(&unfinished, made)
            .and_then(|file| {
                fs::rename(&unfinished, &path)?;
                Ok(file)
            })
            .map_err(|error| {
                // Half a file would only take space.
                let _ = fs::remove_file(&unfinished);
                failed("write", &path)(error)
            })?;
        let bytes = u64::try_from(made.len()).unwrap_or(u64::MAX);
        self.shelf().put(key.clone(), bytes);
        self.make_room();
        Ok((file, bytes))
    }

    /// Removes what was longest not asked for, but never the last one.
    fn make_room(&self) {
        loop {
            let oldest = self.shelf().too_much(self.bytes_max);
            let Some(key) = oldest else { return };
            self.remove(&key);
        }
    }

    fn forget(&self, blob: BlobId) {
        let keys: Vec<Key> = {
            let shelf = self.shelf();
            let of_it = shelf.entries.iter().filter(|(key, _)| key.blob == blob);
            of_it.map(|(key, _)| key.clone()).collect()
        };
        for key in keys {
            self.shelf().take(&key);
            self.remove(&key);
        }
    }

    fn remove(&self, key: &Key) {
        let path = self.path_of(key);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                warn!(%error, path = %path.display(), "a rendition cannot be removed");
            }
            _ => {}
        }
    }
}

impl Shelf {
    fn put(&mut self, key: Key, bytes: u64) {
        let taken = bytes.div_ceil(BLOCK_BYTES).max(1) * BLOCK_BYTES;
        let before = self.entries.put(key, taken).unwrap_or(0);
        self.bytes = self.bytes + taken - before;
    }

    fn take(&mut self, key: &Key) {
        self.bytes -= self.entries.pop(key).unwrap_or(0);
    }

    /// The next one to go.
    fn too_much(&mut self, bytes_max: u64) -> Option<Key> {
        if self.bytes <= bytes_max || self.entries.len() <= 1 {
            return None;
        }
        let (key, bytes) = self.entries.pop_lru()?;
        self.bytes -= bytes;
        Some(key)
    }
}

fn used_now() -> Timestamps {
    let time = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
    Timestamps {
        last_access: time(UTIME_OMIT),
        last_modification: time(UTIME_NOW),
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    Ok(file)
}

fn make_folder(path: &Path) -> Result<(), CacheError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(failed("create", path)(error))
        }
        _ => Ok(()),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, CacheError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    read().map_err(failed("read", folder))
}

/// When a made picture was last used, which it is, and how long; `None` for what is none, which is
/// removed: a server was killed while it wrote it.
fn known(path: &Path) -> Result<Option<(SystemTime, Key, u64)>, CacheError> {
    let name = path.file_name().and_then(|name| name.to_str());
    let key = name.and_then(|name| {
        let (blob, recipe) = name.split_once('.')?;
        Some(Key {
            blob: BlobId::from_hex(blob)?,
            recipe: recipe.to_owned(),
        })
    });
    let Some(key) = key else {
        fs::remove_file(path).map_err(failed("remove", path))?;
        return Ok(None);
    };
    let about = fs::metadata(path).map_err(failed("read", path))?;
    let used = about.modified().map_err(failed("read", path))?;
    Ok(Some((used, key, about.len())))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;

    fn key(number: u8) -> Key {
        Key {
            blob: BlobId([number; 32]),
            recipe: "inside9.webp".to_owned(),
        }
    }

    async fn content(cache: &RenditionCache, number: u8) -> Option<Vec<u8>> {
        let file = cache.get(&key(number)).await?;
        let count = usize::try_from(file.len()).unwrap();
        let bytes = file.read(0, count, BytesMut::new()).await.unwrap();
        Some(bytes.to_vec())
    }

    #[tokio::test]
    async fn the_longest_unused_goes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = RenditionCache::open(folder.path(), 3 * BLOCK_BYTES).unwrap();
        for number in 1..=3 {
            cache.put(&key(number), vec![number; 100]).await.unwrap();
        }
        assert_eq!(content(&cache, 1).await, Some(vec![1; 100]));
        cache.put(&key(4), vec![4; 100]).await.unwrap();
        assert_eq!(content(&cache, 2).await, None);
        for number in [1, 3, 4] {
            assert_eq!(content(&cache, number).await, Some(vec![number; 100]));
        }
    }

    #[tokio::test]
    async fn what_was_made_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let cache = RenditionCache::open(folder.path(), u64::MAX).unwrap();
        cache.put(&key(1), b"made".to_vec()).await.unwrap();
        cache.put(&key(2), Vec::new()).await.unwrap();
        let beside = folder.path().join("renditions/1/01/unfinished-7-7");
        fs::write(&beside, b"ha").unwrap();
        let old = folder.path().join("renditions/0/01");
        fs::create_dir_all(&old).unwrap();
        drop(cache);
        let cache = RenditionCache::open(folder.path(), u64::MAX).unwrap();
        assert_eq!(content(&cache, 1).await, Some(b"made".to_vec()));
        assert_eq!(content(&cache, 2).await, Some(Vec::new()));
        assert!(!beside.exists() && !old.exists());
        // With a smaller budget, one has to go.
        drop(cache);
        let cache = RenditionCache::open(folder.path(), BLOCK_BYTES).unwrap();
        assert_eq!(cache.blobs().len(), 1);
    }

    #[tokio::test]
    async fn what_is_gone_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let cache = RenditionCache::open(folder.path(), u64::MAX).unwrap();
        for number in 1..=2 {
            cache.put(&key(number), vec![number]).await.unwrap();
        }
        cache.forget(BlobId([1; 32])).await;
        assert_eq!(content(&cache, 1).await, None);
        assert_eq!(content(&cache, 2).await, Some(vec![2]));
        assert_eq!(cache.blobs(), HashSet::from([BlobId([2; 32])]));
    }
}
