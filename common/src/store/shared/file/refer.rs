//! What refers to a file. A file that something refers to is kept.

use std::collections::BTreeSet;

use super::{GRACE_MS, Reference, class_number, held};
use crate::api::{BlobClass, Refusal};
use crate::id::{BlobId, ConvId, Millis, Peer};
use crate::store::bulk::{groups, lookups, marks, pieces};
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
    for piece in pieces(&blobs) {
        let sql = format!(
            "{} INTO t_blob_ref (f_sha256, f_kind, f_owner, f_seq) VALUES {}",
            T::INSERT_IGNORE,
            groups(piece.len(), 4)
        );
        let row = |blob: &BlobId| std::iter::once((*blob).into()).chain(by.key());
        tx.execute(&sql, piece.iter().flat_map(row).collect())
            .await?;
        let sql = format!(
            "UPDATE t_blob SET f_expires = NULL WHERE f_sha256 IN ({})",
            marks(piece.len())
        );
        let values = piece.iter().map(|blob| (*blob).into()).collect();
        tx.execute(&sql, values).await?;
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

/// Lets a user or a group refer to the picture of this name and to no other; to none if there is
/// none: existing clients say what they like.
pub(in crate::store) async fn show_avatar<T: Tx>(
    tx: &mut T,
    of: Peer,
    name: &str,
    at: Millis,
) -> Result<(), T::Fault> {
    let by = match of {
        Peer::User(user) => Reference::UserAvatar(user),
        Peer::Group(group) => Reference::GroupAvatar(group),
    };
    let sql = "SELECT f_sha256 FROM t_blob_name WHERE f_class = ? AND f_name = ?";
    let values = vec![class_number(BlobClass::Image).into(), name.into()];
    let rows = tx.select(sql, values).await?;
    let shown: Vec<BlobId> = rows
        .iter()
        .map(|row| row.blob(0))
        .collect::<Result<_, _>>()?;
    let present = present(tx, &shown).await?;
    unrefer(tx, by, at).await?;
    refer(tx, by, present).await
}

/// Nothing in a conversation that nobody can read any more refers to files.
pub(in crate::store) async fn unrefer_all<T: Tx>(
    tx: &mut T,
    conv: ConvId,
    at: Millis,
) -> Result<(), T::Fault> {
    let expires = Millis(at.0.saturating_add(GRACE_MS));
    let sql = "UPDATE t_blob SET f_expires = ? WHERE f_expires IS NULL \
         AND (f_legacy = 0 OR f_gone IS NOT NULL) AND f_sha256 IN \
             (SELECT f_sha256 FROM t_blob_ref WHERE f_kind = 1 AND f_owner = ?) \
         AND NOT EXISTS (SELECT 1 FROM t_blob_ref r WHERE r.f_sha256 = t_blob.f_sha256 \
             AND (r.f_kind <> 1 OR r.f_owner <> ?))";
    tx.execute(sql, vec![expires.into(), conv.into(), conv.into()])
        .await?;
    let sql = "DELETE FROM t_blob_ref WHERE f_kind = 1 AND f_owner = ?";
    tx.execute(sql, vec![conv.into()]).await?;
    Ok(())
}

pub(super) async fn replace<T: Tx>(
    tx: &mut T,
    blob: BlobId,
    by: Reference,
    at: Millis,
) -> Result<Outcome, T::Fault> {
    if held(tx, blob).await?.is_none_or(|held| held.is_gone) {
        return refused(Refusal::NoSuchFile);
    }
    unrefer(tx, by, at).await?;
    refer(tx, by, [blob]).await?;
    Ok(Outcome::done())
}
