//! The store in a bucket of an S3-compatible object store: one object a blob, under the same name
//! as the disk gives it, so that the files of one can be copied to the other with any tool.
//!
//! Knows nothing of keys and addresses, see `connect`, nor of HTTP, see `http`.

mod connect;
mod http;
mod read;

use std::os::unix::fs::FileExt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{
    MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, UploadPart,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{BlobError, BlobFile, BlobStore, FinishedFile};
use crate::id::BlobId;
use crate::pool::BlockingPool;

pub use connect::BucketError;
pub(super) use read::BucketFile;

/// A larger file is uploaded in parts of this size; S3 wants at least 5 MiB.
const PART_BYTES: u64 = 8 << 20;
/// S3 takes 10000 parts of a file.
const PARTS_MAX: u64 = 10_000;
/// Parts in memory, of all uploads together: 64 MiB unless files are larger than 80 GB.
const PARTS_AT_ONCE: usize = 8;

/// Keeps files as objects of a bucket.
#[derive(Clone, Debug)]
pub struct BucketStore {
    bucket: Arc<dyn ObjectStore>,
    /// What names begin with, `PREFIX/blobs`.
    blobs: Path,
    quarantine: Path,
    pool: BlockingPool,
    parts: Arc<Semaphore>,
    part_bytes: u64,
}

impl BucketStore {
    fn new(bucket: Arc<dyn ObjectStore>, prefix: &str, pool: BlockingPool) -> Self {
        let prefix = Path::from(prefix);
        Self {
            bucket,
            blobs: prefix.clone().join("blobs"),
            quarantine: prefix.join("quarantine"),
            pool,
            parts: Arc::new(Semaphore::new(PARTS_AT_ONCE)),
            part_bytes: PART_BYTES,
        }
    }

    fn path_of(&self, id: BlobId) -> Path {
        let [first, second, ..] = id.0;
        let folder = self.blobs.clone().join(format!("{first:02x}"));
        folder.join(format!("{second:02x}")).join(id.to_string())
    }

    /// What the bucket knows about an object; `None` if it is not there.
    async fn head(&self, path: &Path) -> Result<Option<ObjectMeta>, BlobError> {
        match self.bucket.head(path).await {
            Ok(about) => Ok(Some(about)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed("look at", path)(error)),
        }
    }

    async fn put(&self, id: BlobId, file: FinishedFile) -> Result<(), BlobError> {
        let path = self.path_of(id);
        let mode = match self.head(&path).await? {
            Some(about) if about.size == file.len() => None,
            Some(_) => {
                tracing::warn!(blob = %id, "the stored file was damaged; replacing it");
                Some(PutMode::Overwrite)
            }
            None => Some(PutMode::Create),
        };
        match mode {
            None => {}
            Some(mode) if file.len() <= self.part_bytes => {
                let content = self.part(&file, 0, file.len()).await?;
                self.put_whole(&path, content, mode).await?;
            }
            Some(_) => self.put_in_parts(&path, &file).await?,
        }
        self.pool.run(move || file.discard()).await;
        Ok(())
    }

    async fn put_whole(&self, path: &Path, content: Bytes, mode: PutMode) -> Result<(), BlobError> {
        let options = PutOptions::from(mode);
        let put = self.bucket.put_opts(path, content.clone().into(), options);
        match put.await {
            Ok(_) => Ok(()),
            // Somebody with the same content was faster.
            Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            // Not every object store can be told to create only.
            Err(object_store::Error::NotImplemented { .. }) => {
                let put = self.bucket.put(path, content.into()).await;
                put.map(drop).map_err(failed("keep", path))
            }
            Err(error) => Err(failed("keep", path)(error)),
        }
    }

    async fn put_in_parts(&self, path: &Path, file: &FinishedFile) -> Result<(), BlobError> {
        let begun = self.bucket.put_multipart(path).await;
        let mut upload = begun.map_err(failed("keep", path))?;
        let sent = self.send_parts(path, &mut *upload, file).await;
        let done = match sent {
            Ok(()) => upload
                .complete()
                .await
                .map(drop)
                .map_err(failed("keep", path)),
            Err(error) => Err(error),
        };
        if done.is_err()
            && let Err(error) = upload.abort().await
        {
            tracing::warn!(%path, %error, "parts of a failed upload stay in the bucket");
        }
        done
    }

    async fn send_parts(
        &self,
        path: &Path,
        upload: &mut dyn MultipartUpload,
        file: &FinishedFile,
    ) -> Result<(), BlobError> {
        let part_bytes = self.part_bytes.max(file.len().div_ceil(PARTS_MAX));
        let mut sending = JoinSet::new();
        let mut offset = 0;
        while offset < file.len() {
            let permit = Arc::clone(&self.parts).acquire_owned().await;
            let count = part_bytes.min(file.len() - offset);
            let content = self.part(file, offset, count).await?;
            let part: UploadPart = upload.put_part(content.into());
            // In a task, since a part that nobody drives would keep its permit.
            sending.spawn(async move {
                let sent = part.await;
                drop(permit);
                sent
            });
            offset += count;
            while let Some(sent) = sending.try_join_next() {
                finished(path, sent)?;
            }
        }
        while let Some(sent) = sending.join_next().await {
            finished(path, sent)?;
        }
        Ok(())
    }

    async fn part(&self, file: &FinishedFile, offset: u64, count: u64) -> Result<Bytes, BlobError> {
        let (source, path) = (Arc::clone(file.file()), file.path().to_owned());
        let read = move || {
            let mut content = vec![0; usize::try_from(count).unwrap_or(usize::MAX)];
            source
                .read_exact_at(&mut content, offset)
                .map_err(BlobError::disk("read", &path))?;
            Ok(Bytes::from(content))
        };
        self.pool.run(read).await
    }

    /// Reads the hash in a name; `None` for what is not ours.
    fn id_of(&self, path: &Path) -> Option<BlobId> {
        let id = BlobId::from_hex(path.filename()?)?;
        (self.path_of(id) == *path).then_some(id)
    }
}

#[async_trait]
impl BlobStore for BucketStore {
    /// In a task, which comes to its end also if the caller goes away: otherwise parts would stay
    /// in the bucket, which nobody sees and somebody pays for.
    async fn keep(&self, id: BlobId, file: FinishedFile) -> Result<(), BlobError> {
        let store = self.clone();
        let putting = tokio::spawn(async move { store.put(id, file).await });
        match putting.await {
            Ok(put) => put,
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
    }

    async fn open(&self, id: BlobId) -> Result<Option<BlobFile>, BlobError> {
        let path = self.path_of(id);
        let about = self.head(&path).await?;
        Ok(about.map(|about| {
            let bucket = Arc::clone(&self.bucket);
            BlobFile::in_bucket(BucketFile::new(bucket, about))
        }))
    }

    async fn forget(&self, id: BlobId) -> Result<bool, BlobError> {
        let path = self.path_of(id);
        if self.head(&path).await?.is_none() {
            return Ok(false);
        }
        match self.bucket.delete(&path).await {
            Ok(()) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failed("delete", &path)(error)),
        }
    }

    async fn quarantine(&self, id: BlobId) -> Result<bool, BlobError> {
        let path = self.path_of(id);
        let there = self.quarantine.clone().join(id.to_string());
        match self.bucket.copy(&path, &there).await {
            Ok(()) => {}
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(failed("move to quarantine", &path)(error)),
        }
        self.forget(id).await
    }

    async fn list(&self, after: Option<BlobId>, limit: usize) -> Result<Vec<BlobId>, BlobError> {
        let mut objects = match after {
            Some(after) => {
                let offset = self.path_of(after);
                self.bucket.list_with_offset(Some(&self.blobs), &offset)
            }
            None => self.bucket.list(Some(&self.blobs)),
        };
        let mut found = Vec::new();
        while found.len() < limit {
            let next = objects.try_next().await;
            let Some(about) = next.map_err(failed("list", &self.blobs))? else {
                break;
            };
            found.extend(self.id_of(&about.location));
        }
        Ok(found)
    }
}

fn finished(
    path: &Path,
    sent: Result<object_store::Result<()>, tokio::task::JoinError>,
) -> Result<(), BlobError> {
    match sent {
        Ok(sent) => sent.map_err(failed("keep", path)),
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(object_store::Error) -> BlobError {
    let object = path.to_string();
    move |source| BlobError::Bucket {
        doing,
        object,
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests;
