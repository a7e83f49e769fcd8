//! Hashes of uploads that rest, so that going on does not read what came before.
//!
//! It may forget at any time: then the content is read again at the end.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use lru::LruCache;

use super::UploadId;
use crate::blob::file::Hasher;
use crate::blob::lock;

/// So many are remembered; one takes about 400 bytes.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::new(10_000).expect("10000 is not 0");

#[derive(Debug)]
pub(super) struct Memory {
    hashers: Mutex<LruCache<UploadId, Hasher>>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            hashers: Mutex::new(LruCache::new(REMEMBERED_MAX)),
        }
    }

    /// The hashes of the first `size` bytes, if they are known.
    pub(super) fn take(&self, id: UploadId, size: u64, with_md5: bool) -> Option<Hasher> {
        let known = lock(&self.hashers).pop(&id);
        match known.filter(|known| known.size() == size) {
            Some(known) => Some(known),
            None if size == 0 => Some(Hasher::new(with_md5)),
            None => None,
        }
    }

    pub(super) fn put(&self, id: UploadId, hasher: Hasher) {
        if hasher.size() > 0 {
            lock(&self.hashers).put(id, hasher);
        }
    }

    pub(super) fn forget(&self, id: UploadId) {
        lock(&self.hashers).pop(&id);
    }
}
