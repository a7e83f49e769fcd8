//! What a server remembers of the files that were asked for lately, so that handing one out again
//! needs no database.
//!
//! Content never changes, but a file may be collected and come again: nothing is believed for long.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;

use crate::id::BlobId;
use crate::store::file::About;

/// How many files are remembered; one is about 300 bytes.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::new(16_384).expect("is not zero");

/// How long that which is remembered counts.
const BELIEVED_FOR: Duration = Duration::from_secs(60);

/// The files that were asked for lately.
#[derive(Debug)]
pub(in crate::transfer) struct Abouts {
    known: Mutex<LruCache<BlobId, (About, Instant)>>,
}

impl Default for Abouts {
    fn default() -> Self {
        Self {
            known: Mutex::new(LruCache::new(REMEMBERED_MAX)),
        }
    }
}

impl Abouts {
    pub(super) fn get(&self, blob: BlobId) -> Option<About> {
        let mut known = self.lock();
        let (about, since) = known.get(&blob)?;
        if since.elapsed() < BELIEVED_FOR {
            return Some(about.clone());
        }
        known.pop(&blob);
        None
    }

    pub(super) fn put(&self, about: About) {
        self.lock().put(about.blob, (about, Instant::now()));
    }

    pub(super) fn forget(&self, blob: BlobId) {
        self.lock().pop(&blob);
    }

    /// A lock whose holder panicked guards plain values that are whole at any time.
    fn lock(&self) -> MutexGuard<'_, LruCache<BlobId, (About, Instant)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Millis;

    #[tokio::test(start_paused = true)]
    async fn nothing_is_believed_for_long() {
        let abouts = Abouts::default();
        let blob = BlobId([1; 32]);
        let about = About {
            blob,
            size: 1,
            mime: None,
            picture: None,
            at: Millis(0),
            is_legacy: false,
        };
        assert!(abouts.get(blob).is_none());
        abouts.put(about.clone());
        tokio::time::advance(BELIEVED_FOR / 2).await;
        assert!(abouts.get(blob).is_some());
        tokio::time::advance(BELIEVED_FOR / 2).await;
        assert!(abouts.get(blob).is_none());
        abouts.put(about);
        abouts.forget(blob);
        assert!(abouts.get(blob).is_none());
    }
}
