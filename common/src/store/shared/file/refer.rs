//! What refers to a file. A file that something refers to is kept.

use std::collections::BTreeSet;

use super::{GRACE_MS, Reference, held};
use crate::api::Refusal;
use crate::id::{BlobId, Millis};
use crate::store::bulk::{lookups, marks};
use crate::store::shared::Tx;
use crate::store::shared::tx::refused;
use crate::store::{Outcome, StoreError};

/// Those of these files that are here. Locks them.
pub(in crate::store) async fn present<T: Tx>(
    tx: &mut T,
    blobs: &[BlobId],
) -> Result<BTreeSet<BlobId>, T::Fault> {
    let mut present = BTreeSet::new();
    for keys in lookups(blobs) {
        let sql = format!(
            "SELECT f_sha256 FROM t_blob WHERE f_sha256 IN ({}) AND f_gone IS NULL \
             ORDER BY f_sha256{}",
            marks(keys.len()),
            T::FOR_UPDATE
        );
        let values = keys.into_iter().map(Into::into).collect();
        let rows = tx.select(&sql, values).await?;
        let found: Result<Vec<BlobId>, StoreError> = rows.iter().map(|row| row.blob(0)).collect();
        present.extend(found?);
    }
    Ok(present)
}

/// Lets `by` refer to these files, which are here.
pub(in crate::store) async fn refer<T: Tx>(
    tx: &mut T,
    by: Reference,
    blobs: impl IntoIterator<Item = BlobId> + Send,
) -> Result<(), T::Fault> {
    let blobs: Vec<BlobId> = blobs.into_iter().collect();
    for blob in blobs {
        let sql = format!(
            "{} INTO t_blob_ref (f_sha256, f_kind, f_owner, f_seq) VALUES (?, ?, ?, ?)",
            T::INSERT_IGNORE
        );
        let values = std::iter::once(blob.into()).chain(by.key()).collect();
        tx.execute(&sql, values).await?;
        let sql = "UPDATE t_blob SET f_expires = NULL WHERE f_sha256 = ?";
        tx.execute(sql, vec![blob.into()]).await?;
    }
    Ok(())
}

/// `by` refers to nothing any more.
pub(in crate::store) async fn unrefer<T: Tx>(
    tx: &mut T,
    by: Reference,
    at: Millis,
) -> Result<(), T::Fault> {
    let key = "f_kind = ? AND f_owner = ? AND f_seq = ?";
    let sql = format!("SELECT f_sha256 FROM t_blob_ref WHERE {key} ORDER BY f_sha256");
    let rows = tx.select(&sql, by.key().to_vec()).await?;
    for row in &rows {
        let blob = row.blob(0)?;
        // Locked first, so that nobody refers to it while this looks for references.
        held(tx, blob).await?;
        let sql = format!("DELETE FROM t_blob_ref WHERE f_sha256 = ? AND {key}");
        let values = std::iter::once(blob.into()).chain(by.key()).collect();
        tx.execute(&sql, values).await?;
        let sql = "UPDATE t_blob SET f_expires = ? WHERE f_sha256 = ? AND f_expires IS NULL \
             AND (f_legacy = 0 OR f_gone IS NOT NULL) AND NOT EXISTS \
             (SELECT 1 FROM t_blob_ref r WHERE r.f_sha256 = t_blob.f_sha256)";
        let expires = Millis(at.0.saturating_add(GRACE_MS));
        tx.execute(sql, vec![expires.into(), blob.into()]).await?;
    }
    Ok(())
}

pub(super) async fn replace<T: Tx>(
    tx: &mut T,
    blob: BlobId,
    by: Reference,
    at: Millis,
) -> Result<Outcome, T::Fault> {
    if !held(tx, blob).await?.is_some_and(|held| !held.is_gone) {
        return refused(Refusal::NoSuchFile);
    }
    unrefer(tx, by, at).await?;
    refer(tx, by, [blob]).await?;
    Ok(Outcome::done())
}
