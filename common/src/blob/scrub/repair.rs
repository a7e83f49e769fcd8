//! Puts right what can be: takes damaged content away, and copies what is missing from a backup.

use std::io;

use bytes::BytesMut;

use super::check::{self, Pace};
use super::{Fault, Repair, Scrub, ScrubError};
use crate::blob::{BlobError, BlobFile, BlobStore, Staging};
use crate::id::{BlobId, Millis};
use crate::store::file::{self, Known};
use crate::store::{Store, StoreError};

/// How much is copied at a time.
const PIECE_BYTES: u64 = 1 << 20;

/// A file whose content is not what it should be.
pub(super) struct Damaged {
    pub(super) file: BlobFile,
    /// When it was kept, as far as that is known.
    pub(super) since: Option<Millis>,
    pub(super) fault: Fault,
}

/// Whether the database still says that this file ought to be here.
pub(super) async fn is_wanted(store: &dyn Store, blob: BlobId) -> Result<bool, StoreError> {
    Ok(file::about(store, blob).await?.is_some())
}

impl Scrub<'_> {
    /// What became of damaged content.
    pub(super) async fn replaced(
        &self,
        known: Known,
        damaged: &Damaged,
    ) -> Result<Repair, ScrubError> {
        // A disk that cannot read has lost it; an object store may only be out of reach.
        let is_unreadable = matches!(damaged.fault, Fault::Unreadable { .. });
        let is_away = is_unreadable && damaged.file.local().is_none();
        if !self.options.repairs || is_away {
            return Ok(Repair::None);
        }
        if !self.take_away(known.blob, damaged).await? {
            return Ok(Repair::None);
        }
        Ok(match self.restored(known).await? {
            Repair::Restored => Repair::Restored,
            Repair::None | Repair::Quarantined | Repair::Deleted => Repair::Quarantined,
        })
    }

    /// While nobody publishes: an upload of the same content may have replaced the damaged one
    /// since it was read, and then it stays.
    async fn take_away(&self, blob: BlobId, damaged: &Damaged) -> Result<bool, ScrubError> {
        let _collecting = self.blobs.collecting(blob).await?;
        let Some(now) = self.blobs.read(blob).await? else {
            return Ok(false);
        };
        let since = now.modified().await.ok();
        if now.len() != damaged.file.len() || since.is_none() || since != damaged.since {
            return Ok(false);
        }
        Ok(self.blobs.quarantine(blob).await?)
    }

    /// What became of missing content.
    pub(super) async fn restored(&self, known: Known) -> Result<Repair, ScrubError> {
        let copy = match &self.copies {
            Some(copies) if self.options.repairs => copies.open(known.blob).await?,
            Some(_) | None => None,
        };
        let Some(copy) = copy else {
            return Ok(Repair::None);
        };
        let mut any_pace = Pace::new(None);
        let found = check::hash(self.blobs.pool(), &copy, &mut any_pace).await;
        if found.is_err() || found.is_ok_and(|found| found != known.blob) {
            tracing::warn!(blob = %known.blob, "the copy of a missing file is damaged, too");
            return Ok(Repair::None);
        }
        let mut staging = self.blobs.stage_sha().await?;
        match copy_content(&copy, &mut staging).await? {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(blob = %known.blob, %error, "cannot read a copy");
                return Ok(Repair::None);
            }
        }
        let restored = staging.finish(copy.len()).await?;
        Ok(match restored == known.blob {
            true => Repair::Restored,
            // Somebody changed the copy meanwhile.
            false => Repair::None,
        })
    }
}

/// Inside the error of the source, outside the one of the target.
async fn copy_content(copy: &BlobFile, staging: &mut Staging) -> Result<io::Result<()>, BlobError> {
    let mut offset = 0;
    while offset < copy.len() {
        let count = PIECE_BYTES.min(copy.len() - offset);
        let wanted = usize::try_from(count).unwrap_or(usize::MAX);
        match copy.read(offset, wanted, BytesMut::new()).await {
            Ok(piece) => staging.write(piece.freeze()).await?,
            Err(error) => return Ok(Err(error)),
        }
        offset += count;
    }
    Ok(Ok(()))
}
