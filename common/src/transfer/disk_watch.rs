//! Looks at the disk now and then while content comes: not everything that comes was announced, and
//! others write to the disk too.

use super::Transfers;
use crate::blob::BlobError;

/// So much comes between two looks.
const WATCHED_BYTES: u64 = 64 << 20;

/// How much came since the last look.
#[derive(Debug, Default)]
pub(super) struct DiskWatch {
    unwatched: u64,
}

impl DiskWatch {
    /// Before `coming` bytes more are written.
    ///
    /// # Errors
    /// [`BlobError::Full`] if the disk has less than its reserve; if it cannot be measured.
    pub(super) async fn look(
        &mut self,
        transfers: &Transfers,
        coming: usize,
    ) -> Result<(), BlobError> {
        self.unwatched += u64::try_from(coming).unwrap_or(0);
        if self.unwatched < WATCHED_BYTES {
            return Ok(());
        }
        self.unwatched = 0;
        let free = transfers.blobs.free_bytes().await?;
        match free < transfers.policy.disk_free_bytes_min {
            true => Err(BlobError::Full),
            false => Ok(()),
        }
    }
}
