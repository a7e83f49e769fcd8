//! The handle to the file cache that servers use: a place on the local disk where files are
//! received, and the store that keeps them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lock::{Collecting, CollectionLock, Publishing};
use super::temp::Area;
use super::{
    BlobError, BlobFile, BlobStore, BucketStore, DiskStore, FinishedFile, PlainName, Staging,
    make_folder, plain, sync_folder,
};
use crate::config::{AwsEnvironment, BlobStoreAt};
use crate::id::BlobId;
use crate::pool::BlockingPool;

/// How many pieces of disk work and hashing run at a time. More than there are cores, because a
/// thread that waits for fsync computes nothing.
const DISK_WORKERS: usize = 16;

/// The file cache of one server. Several servers, in one process or in many, may share a directory.
#[derive(Clone, Debug)]
pub struct Blobs {
    area: Arc<Area>,
    lock: Arc<CollectionLock>,
    store: Arc<dyn BlobStore>,
}

impl Blobs {
    /// Opens the file cache, creating what is missing and clearing what a crashed server left
    /// half received; files are kept there too. Blocks for a few disk accesses: meant for the
    /// start of a program.
    pub fn open(filecache: &Path) -> Result<Self, BlobError> {
        fs::create_dir_all(filecache).map_err(BlobError::disk("create", filecache))?;
        make_folder(&filecache.join("blobs"))?;
        let pool = BlockingPool::new(DISK_WORKERS);
        let store = DiskStore::new(filecache, pool.clone());
        Self::over(filecache, Arc::new(store), pool)
    }

    /// The same with the files kept where `at` says.
    pub async fn connect(
        filecache: &Path,
        at: &BlobStoreAt,
        environment: &AwsEnvironment,
    ) -> Result<Self, BlobError> {
        let pool = BlockingPool::new(DISK_WORKERS);
        let root = filecache.to_owned();
        match at {
            BlobStoreAt::Disk => pool.run(move || Self::open(&root)).await,
            BlobStoreAt::Bucket(at) => {
                let store = BucketStore::connect(at, environment, pool.clone()).await;
                let store = store.map_err(|error| BlobError::NoBucket(Box::new(error)))?;
                let there = pool.clone();
                let open = move || {
                    fs::create_dir_all(&root).map_err(BlobError::disk("create", &root))?;
                    Self::over(&root, Arc::new(store), there)
                };
                pool.run(open).await
            }
        }
    }

    fn over(
        filecache: &Path,
        store: Arc<dyn BlobStore>,
        pool: BlockingPool,
    ) -> Result<Self, BlobError> {
        let area = Arc::new(Area::open(filecache, pool)?);
        let lock = Arc::new(CollectionLock::open(filecache)?);
        sync_folder(filecache)?;
        Ok(Self { area, lock, store })
    }

    /// Begins a new file, whose SHA-256 and MD5 are computed on the way. It becomes visible only by
    /// [`Staging::finish`].
    pub async fn stage(&self) -> Result<Staging, BlobError> {
        Staging::begin(self, true).await
    }

    /// The same without the MD5, which only old clients ask for.
    pub async fn stage_sha(&self) -> Result<Staging, BlobError> {
        Staging::begin(self, false).await
    }

    /// Keeps a whole file under its hash, see [`BlobStore::keep`].
    pub async fn keep(&self, id: BlobId, file: FinishedFile) -> Result<(), BlobError> {
        self.store.keep(id, file).await
    }

    /// Opens a kept file; `None` if there is no such.
    pub async fn read(&self, id: BlobId) -> Result<Option<BlobFile>, BlobError> {
        self.store.open(id).await
    }

    /// Removes a kept file; the caller is [`Self::collecting`] it. Whether there was one.
    pub async fn forget(&self, id: BlobId) -> Result<bool, BlobError> {
        self.store.forget(id).await
    }

    /// Takes a damaged file out of the way, see [`BlobStore::quarantine`].
    pub async fn quarantine(&self, id: BlobId) -> Result<bool, BlobError> {
        self.store.quarantine(id).await
    }

    /// What is kept, in ascending order, at most `limit` of them.
    pub async fn list(
        &self,
        after: Option<BlobId>,
        limit: usize,
    ) -> Result<Vec<BlobId>, BlobError> {
        self.store.list(after, limit).await
    }

    /// Held from before a file is kept until the database knows it: meanwhile nobody deletes it.
    /// Waits while somebody does.
    pub async fn publishing(&self, id: BlobId) -> Result<Publishing, BlobError> {
        self.lock.publishing(id).await
    }

    /// Held while a file is taken away: meanwhile nobody publishes it, in this process or another.
    /// Waits until nobody does.
    pub async fn collecting(&self, id: BlobId) -> Result<Collecting, BlobError> {
        self.lock.collecting(id).await
    }

    /// The same for those of these files that nobody publishes this moment; answers which. Waits
    /// for nobody.
    pub async fn collecting_free(
        &self,
        ids: Vec<BlobId>,
    ) -> Result<(Collecting, Vec<BlobId>), BlobError> {
        self.lock.collecting_free(ids).await
    }

    /// Opens a plain file that the operator put into the file cache; `None` if there is none.
    /// Links, folders and devices do not count.
    pub async fn read_plain(&self, name: &PlainName) -> Result<Option<BlobFile>, BlobError> {
        let path = self.area.root().join(name.as_str());
        let opened = self.pool().run(move || plain::open_regular(&path)).await?;
        Ok(opened.map(|(file, len)| self.view(Arc::new(file), len)))
    }

    /// The first `len` bytes of a local file, to be read like a kept one.
    pub fn view(&self, file: Arc<File>, len: u64) -> BlobFile {
        BlobFile::on_disk(file, len, self.pool().clone())
    }

    /// How many bytes the disk below the file cache still takes.
    pub async fn free_bytes(&self) -> Result<u64, BlobError> {
        #[cfg(test)]
        if let Some(pretended) = *super::lock(self.area.pretended_free()) {
            return Ok(pretended);
        }
        let root = self.area.root().to_owned();
        self.pool()
            .run(move || {
                let disk = rustix::fs::statvfs(&root)
                    .map_err(|errno| BlobError::disk("measure", &root)(errno.into()))?;
                Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
            })
            .await
    }

    /// A folder of the file cache itself.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.area.root().join(name)
    }

    /// Where work on the disk and hashing is done.
    pub fn pool(&self) -> &BlockingPool {
        self.area.pool()
    }

    /// The files that another file cache keeps on its disk.
    pub(super) fn beside(&self, filecache: &Path) -> DiskStore {
        DiskStore::new(filecache, self.pool().clone())
    }

    pub(super) fn area(&self) -> &Arc<Area> {
        &self.area
    }
}

#[cfg(test)]
impl Blobs {
    /// From now on says that so many bytes are free.
    pub(crate) fn pretend_free(&self, bytes: u64) {
        *super::lock(self.area.pretended_free()) = Some(bytes);
    }

    /// A file cache whose files are kept in this bucket.
    pub(super) fn in_bucket(
        filecache: &Path,
        store: impl FnOnce(BlockingPool) -> BucketStore,
    ) -> Self {
        let pool = BlockingPool::new(DISK_WORKERS);
        let store = Arc::new(store(pool.clone()));
        Self::over(filecache, store, pool).expect("a new folder is usable")
    }
}
