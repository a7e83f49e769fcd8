//! The contract on a bucket in memory, and what only a bucket can do wrong.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, PutMultipartOptions, PutPayload, PutResult,
    Result,
};
use tempfile::TempDir;

use super::*;
use crate::blob::Blobs;
use crate::config::{AwsEnvironment, BlobStoreAt};

/// So that small files are large.
const SMALL_PART_BYTES: u64 = 10;

#[cfg(feature = "contract")]
mod contract {
    use std::sync::Arc;

    use super::{Blobs, BucketStore, InMemory, TempDir};

    async fn fresh() -> (Blobs, TempDir) {
        let dir = TempDir::new().unwrap();
        let memory = Arc::new(InMemory::new());
        let store = |pool| BucketStore::new(memory, "some/prefix", pool);
        (Blobs::in_bucket(dir.path(), store), dir)
    }

    crate::blob_contract!(fresh);
}

/// A bucket that counts requests, and fails as it is told.
#[derive(Debug, Default)]
struct Troubled {
    memory: InMemory,
    /// Refuses a part of this number, counted from 0.
    part_refused: Option<usize>,
    aborted: Arc<AtomicUsize>,
    gets: AtomicUsize,
    /// Every answer with content ends after so many bytes.
    cut_after: Option<usize>,
    knows_create: bool,
}

fn refusal() -> object_store::Error {
    let source = "out of order".into();
    object_store::Error::Generic {
        store: "test",
        source,
    }
}

impl fmt::Display for Troubled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bucket in trouble")
    }
}

#[derive(Debug)]
struct TroubledUpload {
    upload: Box<dyn MultipartUpload>,
    refused: Option<usize>,
    next: usize,
    aborted: Arc<AtomicUsize>,
}

#[async_trait]
impl MultipartUpload for TroubledUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let number = self.next;
        self.next += 1;
        match self.refused == Some(number) {
            true => Box::pin(async { Err(refusal()) }),
            false => self.upload.put_part(data),
        }
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.upload.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.aborted.fetch_add(1, Ordering::Relaxed);
        self.upload.abort().await
    }
}

#[async_trait]
impl ObjectStore for Troubled {
    async fn put_opts(&self, at: &Path, content: PutPayload, how: PutOptions) -> Result<PutResult> {
        if !self.knows_create && matches!(how.mode, PutMode::Create) {
            return Err(object_store::Error::NotImplemented {
                operation: "create".to_owned(),
                implementer: "test".to_owned(),
            });
        }
        self.memory.put_opts(at, content, how).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(TroubledUpload {
            upload: self.memory.put_multipart_opts(at, how).await?,
            refused: self.part_refused,
            next: 0,
            aborted: Arc::clone(&self.aborted),
        }))
    }

    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        if !how.head {
            self.gets.fetch_add(1, Ordering::Relaxed);
        }
        let got = self.memory.get_opts(at, how).await?;
        let Some(cut) = self.cut_after.filter(|_| got.range.end > got.range.start) else {
            return Ok(got);
        };
        let (meta, range, attributes) =
            (got.meta.clone(), got.range.clone(), got.attributes.clone());
        let content = got.bytes().await?;
        let begin = content.slice(..cut.min(content.len()));
        let pieces = futures_util::stream::iter([Ok(begin)]);
        let payload = object_store::GetResultPayload::Stream(Box::pin(pieces));
        Ok(GetResult {
            payload,
            meta,
            range,
            attributes,
            extensions: Default::default(),
        })
    }

    fn delete_stream(
        &self,
        at: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.memory.delete_stream(at)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.memory.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.memory.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.memory.copy_opts(from, to, how).await
    }
}

fn cache(bucket: &Arc<Troubled>) -> (Blobs, TempDir) {
    let dir = TempDir::new().unwrap();
    let bucket: Arc<dyn ObjectStore> = bucket.clone();
    let store = |pool| BucketStore {
        part_bytes: SMALL_PART_BYTES,
        ..BucketStore::new(bucket, "", pool)
    };
    (Blobs::in_bucket(dir.path(), store), dir)
}

async fn put(blobs: &Blobs, content: &'static [u8]) -> std::result::Result<BlobId, BlobError> {
    let mut staging = blobs.stage_sha().await?;
    staging.write(Bytes::from_static(content)).await?;
    let size = staging.size();
    staging.finish(size).await
}

const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";

#[tokio::test]
async fn an_object_stands_where_the_disk_has_its_file() {
    let bucket = Arc::new(Troubled::default());
    let (blobs, _dir) = cache(&bucket);
    put(&blobs, b"abc").await.unwrap();
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let path = Path::from(format!("blobs/ba/78/{hex}"));
    assert_eq!(bucket.memory.head(&path).await.unwrap().size, 3);
    // What else is in the bucket is no file of ours.
    for stray in [format!("blobs/ba/77/{hex}"), "blobs/readme".to_owned()] {
        let stray = Path::from(stray);
        bucket.memory.put(&stray, PutPayload::new()).await.unwrap();
    }
    assert_eq!(blobs.list(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_of_which_a_part_fails_leaves_nothing_and_stays_on_the_disk() {
    let bucket = Arc::new(Troubled {
        part_refused: Some(2),
        ..Troubled::default()
    });
    let (blobs, dir) = cache(&bucket);
    let upload = dir.path().join("upload");
    std::fs::write(&upload, ALPHABET).unwrap();
    let file = Arc::new(std::fs::File::open(&upload).unwrap());
    let size = u64::try_from(ALPHABET.len()).unwrap();
    let file = FinishedFile::uploaded(upload.clone(), file, size);
    let told = blobs.keep(BlobId([7; 32]), file).await.unwrap_err();
    assert!(
        told.to_string().starts_with("cannot keep blobs/07/07/0707"),
        "{told}"
    );
    assert!(told.to_string().contains("out of order"), "{told}");
    assert_eq!(bucket.aborted.load(Ordering::Relaxed), 1);
    assert!(blobs.list(None, 10).await.unwrap().is_empty());
    assert_eq!(std::fs::read(&upload).unwrap(), ALPHABET);
}

#[tokio::test]
async fn an_upload_that_nobody_waits_for_comes_to_its_end() {
    let bucket = Arc::new(Troubled::default());
    let (blobs, dir) = cache(&bucket);
    let upload = dir.path().join("upload");
    std::fs::write(&upload, ALPHABET).unwrap();
    let file = Arc::new(std::fs::File::open(&upload).unwrap());
    let file = FinishedFile::uploaded(upload.clone(), file, 52);
    let soon = std::time::Duration::ZERO;
    let given_up = tokio::time::timeout(soon, blobs.keep(BlobId([7; 32]), file)).await;
    assert!(given_up.is_err());
    while upload.exists() {
        tokio::task::yield_now().await;
    }
    assert_eq!(blobs.list(None, 10).await.unwrap(), [BlobId([7; 32])]);
}

#[tokio::test]
async fn an_object_of_the_wrong_length_is_replaced() {
    let bucket = Arc::new(Troubled {
        knows_create: true,
        ..Troubled::default()
    });
    let (blobs, _dir) = cache(&bucket);
    for content in [&b"abc"[..], ALPHABET] {
        let id = put(&blobs, content).await.unwrap();
        let hex = id.to_string();
        let path = Path::from(format!("blobs/{}/{}/{hex}", &hex[..2], &hex[2..4]));
        bucket.memory.put(&path, "ab".into()).await.unwrap();
        put(&blobs, content).await.unwrap();
        let file = blobs.read(id).await.unwrap().unwrap();
        let read = file.read(0, content.len(), BytesMut::new()).await.unwrap();
        assert_eq!(read[..], *content);
    }
}

/// In steps of 10 bytes.
async fn read_through(blobs: &Blobs, id: BlobId) -> Vec<u8> {
    let file = blobs.read(id).await.unwrap().unwrap();
    let mut read = BytesMut::new();
    while read.len() < ALPHABET.len() {
        let count = (ALPHABET.len() - read.len()).min(10);
        let offset = u64::try_from(read.len()).unwrap();
        read = file.read(offset, count, read).await.unwrap();
    }
    read.to_vec()
}

#[tokio::test]
async fn who_reads_on_and_on_costs_two_requests() {
    let bucket = Arc::new(Troubled::default());
    let (blobs, _dir) = cache(&bucket);
    let id = put(&blobs, ALPHABET).await.unwrap();
    assert_eq!(read_through(&blobs, id).await, ALPHABET);
    assert_eq!(bucket.gets.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_request_that_ended_too_early_is_made_again() {
    let bucket = Arc::new(Troubled {
        cut_after: Some(13),
        ..Troubled::default()
    });
    let (blobs, _dir) = cache(&bucket);
    let id = put(&blobs, ALPHABET).await.unwrap();
    assert_eq!(read_through(&blobs, id).await, ALPHABET);
    // One that never sends enough is an error.
    let file = blobs.read(id).await.unwrap().unwrap();
    let told = file.read(0, 14, BytesMut::new()).await.unwrap_err();
    assert_eq!(told.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_bucket_that_cannot_be_reached_is_told_at_once() {
    let closed = crate::net::Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = closed.local_addr().port();
    drop(closed);
    let at = format!("s3://files/x?endpoint=http://127.0.0.1:{port}");
    let at: BlobStoreAt = at.parse().unwrap();
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let keys = keys.map(|name| (name.to_owned(), "hush".to_owned()));
    let environment = AwsEnvironment(keys.to_vec());
    let dir = TempDir::new().unwrap();
    let told = Blobs::connect(dir.path(), &at, &environment).await;
    let told = told.unwrap_err().to_string();
    assert!(
        told.starts_with("the bucket s3://files/x?endpoint="),
        "{told}"
    );
    assert!(told.contains("cannot be reached: "), "{told}");
    assert!(told.contains("refused"), "{told}");
    assert!(!told.contains("hush"), "{told}");
}
