//! Finds and deletes content that nobody knows.

use super::walk::{Place, Walk};
use super::{ORPHAN_AGE_MS, ScrubError};
use crate::blob::Blobs;
use crate::id::{BlobId, Millis};
use crate::store::Store;
use crate::store::file;

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orphans {
    pub files: u64,
    pub bytes: u64,
}

/// Deletes content that the database does not know and that is older than [`ORPHAN_AGE_MS`].
pub async fn orphans(blobs: &Blobs, store: &dyn Store, now: Millis) -> Result<Orphans, ScrubError> {
    let mut deleted = Orphans::default();
    let mut walk = Walk::new(blobs, store);
    while let Some(place) = walk.next().await? {
        let Place::Unknown(blob) = place else {
            continue;
        };
        let Some(size) = look(blobs, store, blob, now).await? else {
            continue;
        };
        if delete(blobs, store, blob).await? {
            deleted.files += 1;
            deleted.bytes += size;
        }
    }
    Ok(deleted)
}

/// The size of what is an orphan and old enough.
pub(super) async fn look(
    blobs: &Blobs,
    store: &dyn Store,
    blob: BlobId,
    now: Millis,
) -> Result<Option<u64>, ScrubError> {
    let Some(file) = blobs.read(blob).await? else {
        return Ok(None);
    };
    // Content of unknown age is young.
    let since = file.modified().await.unwrap_or(now);
    let is_young = now.0.saturating_sub(since.0) < ORPHAN_AGE_MS;
    if is_young || is_known(store, blob).await? {
        return Ok(None);
    }
    Ok(Some(file.len()))
}

/// Whether it was deleted. While nobody publishes it is asked once more: somebody may have uploaded
/// the same content meanwhile.
pub(super) async fn delete(
    blobs: &Blobs,
    store: &dyn Store,
    blob: BlobId,
) -> Result<bool, ScrubError> {
    let _collecting = blobs.collecting(blob).await?;
    if is_known(store, blob).await? {
        return Ok(false);
    }
    Ok(blobs.forget(blob).await?)
}

async fn is_known(store: &dyn Store, blob: BlobId) -> Result<bool, ScrubError> {
    Ok(file::known_of(store, &[blob]).await?.contains(&blob))
}
