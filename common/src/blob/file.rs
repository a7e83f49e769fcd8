//! A file of the cache that is open for reading, wherever it is kept.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use md5::Md5;
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread};
use sha2::{Digest as _, Sha256};

use super::bucket::BucketFile;
use crate::id::{BlobId, Millis};
use crate::pool::BlockingPool;

/// An open file of the cache. Stays readable, with the same content, whatever happens to its name.
#[derive(Clone, Debug)]
pub struct BlobFile {
    len: u64,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Local(Arc<File>, BlockingPool),
    Bucket(Arc<BucketFile>),
}

impl BlobFile {
    /// A file of this machine's disk; reading it is done in `pool`.
    pub fn on_disk(file: Arc<File>, len: u64, pool: BlockingPool) -> Self {
        let content = Content::Local(file, pool);
        Self { len, content }
    }

    pub(super) fn in_bucket(file: BucketFile) -> Self {
        Self {
            len: file.len(),
            content: Content::Bucket(Arc::new(file)),
        }
    }

    /// Length in bytes when it was opened.
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The file itself if it is on this machine's disk.
    pub fn local(&self) -> Option<&Arc<File>> {
        match &self.content {
            Content::Local(file, _) => Some(file),
            Content::Bucket(_) => None,
        }
    }

    /// Appends `count` bytes from `offset` to `into`; fewer bytes there are an error.
    pub async fn read(&self, offset: u64, count: usize, into: BytesMut) -> io::Result<BytesMut> {
        let (file, pool) = match &self.content {
            Content::Local(file, pool) => (Arc::clone(file), pool),
            Content::Bucket(file) => return file.read(offset, count, into).await,
        };
        pool.run(move || append(&file, offset, count, into)).await
    }

    /// When it was kept.
    pub async fn modified(&self) -> io::Result<Millis> {
        let (file, pool) = match &self.content {
            Content::Local(file, pool) => (Arc::clone(file), pool),
            Content::Bucket(file) => return Ok(file.modified()),
        };
        // Its name came last, and that is when a file was changed; what it consists of may have
        // been written long before.
        let about = pool.run(move || file.metadata()).await?;
        Ok(Millis(
            about.ctime() * 1000 + about.ctime_nsec() / 1_000_000,
        ))
    }
}

/// Reads into room that is not filled with zeros first, which costs as much as the reading: a vector
/// can have such room without `unsafe`, and nothing is copied to make one of the bytes and back.
fn append(file: &File, mut offset: u64, count: usize, into: BytesMut) -> io::Result<BytesMut> {
    let mut bytes = Vec::from(into);
    let end = bytes.len() + count;
    bytes.reserve_exact(count);
    while bytes.len() < end {
        match pread(file, spare_capacity(&mut bytes), offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => offset += u64::try_from(read).unwrap_or(0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bytes.truncate(end);
    Ok(BytesMut::from(Bytes::from(bytes)))
}

/// What some content amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    pub blob: BlobId,
    /// Only where somebody wanted it.
    pub md5: Option<[u8; 16]>,
    pub size: u64,
}

impl Digest {
    /// The MD5 as the old clients write it: 32 lower-case hexadecimal digits.
    pub fn md5_hex(&self) -> Option<String> {
        let hex = |md5: [u8; 16]| md5.iter().map(|byte| format!("{byte:02x}")).collect();
        self.md5.map(hex)
    }
}

/// Computes a [`Digest`] piece by piece.
#[derive(Clone, Debug)]
pub(super) struct Hasher {
    sha256: Sha256,
    md5: Option<Md5>,
    size: u64,
}

impl Hasher {
    pub(super) fn new(with_md5: bool) -> Self {
        Self {
            sha256: Sha256::new(),
            md5: with_md5.then(Md5::new),
            size: 0,
        }
    }

    pub(super) fn update(&mut self, piece: &[u8]) {
        self.sha256.update(piece);
        if let Some(md5) = &mut self.md5 {
            md5.update(piece);
        }
        self.size += u64::try_from(piece.len()).unwrap_or(u64::MAX);
    }

    /// How much was hashed.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn digest(&self) -> Digest {
        Digest {
            blob: BlobId(self.sha256.clone().finalize().into()),
            md5: self.md5.clone().map(|md5| md5.finalize().into()),
            size: self.size,
        }
    }
}
