//! Who may read which stored file. A hash is not a key.

use std::collections::BTreeSet;

use super::{About, about_all, class_number};
use crate::api::BlobClass;
use crate::id::{BlobId, UserId};
use crate::store::bulk::{lookups, marks};
use crate::store::shared::Value;
use crate::store::{Store, StoreError};

/// Whether this user may read this file, see [`readable`].
///
/// # Errors
/// When the database cannot be asked.
pub async fn may_read(store: &dyn Store, user: UserId, blob: BlobId) -> Result<bool, StoreError> {
    Ok(!readable(store, user, &[blob]).await?.is_empty())
}

/// Those of these files that this user may read: he uploaded it, a message that he may read refers
/// to it, it is the picture of a user or a group or a package, or it is from before references were
/// written down. Says nothing about whether the file is here.
///
/// # Errors
/// When the database cannot be asked.
pub async fn readable(
    store: &dyn Store,
    user: UserId,
    blobs: &[BlobId],
) -> Result<BTreeSet<BlobId>, StoreError> {
    let mut readable = BTreeSet::new();
    for keys in lookups(blobs) {
        let these = format!("f_sha256 IN ({})", marks(keys.len()));
        // A file may be in more messages than anybody counts, and so the user's conversations are
        // gone through.
        let sql = format!(
            "SELECT f_sha256 FROM t_blob_owner WHERE f_user_id = ? AND {these} \
             UNION SELECT f_sha256 FROM t_blob_ref WHERE {these} AND f_kind IN (2, 3, 4) \
             UNION SELECT f_sha256 FROM t_blob WHERE {these} AND f_legacy = 2 \
             UNION SELECT r.f_sha256 FROM t_place p CROSS JOIN t_blob_ref r \
                 ON r.{these} AND r.f_kind = 1 AND r.f_owner = p.f_conv \
                 AND r.f_seq > p.f_since WHERE p.f_user_id = ?"
        );
        let keys: Vec<Value> = keys.into_iter().map(Value::from).collect();
        let mut values = vec![user.into()];
        for _ in 0..4 {
            values.extend(keys.iter().cloned());
        }
        values.push(user.into());
        for row in &store.select(&sql, values).await? {
            readable.insert(row.blob(0)?);
        }
    }
    Ok(readable)
}

/// What is known of those of these files that are here and that this user may send to others: what
/// he may read, and what an old client uploaded. Each once, in any order.
///
/// # Errors
/// When the database cannot be asked.
pub async fn usable(
    store: &dyn Store,
    user: UserId,
    blobs: &[BlobId],
) -> Result<Vec<About>, StoreError> {
    let mut here = about_all(store, blobs).await?;
    let asked: Vec<BlobId> = here.iter().map(|about| about.blob).collect();
    let readable = readable(store, user, &asked).await?;
    here.retain(|about| about.is_legacy || readable.contains(&about.blob));
    Ok(here)
}

/// Those of these files of which this user gets only the picture, and not the bytes that tell where
/// and by whom it was made: they came as a picture and never as a file, and he did not upload them.
/// Says nothing about whether he may see them at all.
///
/// # Errors
/// When the database cannot be asked.
pub async fn kept_as_pictures(
    store: &dyn Store,
    user: UserId,
    blobs: &[BlobId],
) -> Result<BTreeSet<BlobId>, StoreError> {
    let mut kept = BTreeSet::new();
    for keys in lookups(blobs) {
        // Who brings bytes to the file server gets a name there, or is written down as their owner.
        let sql = format!(
            "SELECT b.f_sha256 FROM t_blob b WHERE b.f_sha256 IN ({}) \
             AND (b.f_width IS NOT NULL OR EXISTS (SELECT 1 FROM t_blob_name n \
                 WHERE n.f_sha256 = b.f_sha256 AND n.f_class = ?)) \
             AND NOT EXISTS (SELECT 1 FROM t_blob_name n \
                 WHERE n.f_sha256 = b.f_sha256 AND n.f_class = ?) \
             AND NOT EXISTS (SELECT 1 FROM t_blob_owner o \
                 WHERE o.f_sha256 = b.f_sha256 AND (o.f_class = ? OR o.f_user_id = ?))",
            marks(keys.len())
        );
        let (file, image) = (BlobClass::File, BlobClass::Image);
        let file = Value::from(class_number(file));
        let mut values: Vec<Value> = keys.into_iter().map(Value::from).collect();
        values.extend([class_number(image).into(), file.clone(), file, user.into()]);
        for row in &store.select(&sql, values).await? {
            kept.insert(row.blob(0)?);
        }
    }
    Ok(kept)
}

/// Whether everybody may read this file, signed in or not: a package.
///
/// # Errors
/// When the database cannot be asked.
pub async fn is_public(store: &dyn Store, blob: BlobId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM t_blob_ref WHERE f_sha256 = ? AND f_kind = 4 LIMIT 1";
    Ok(!store.select(sql, vec![blob.into()]).await?.is_empty())
}
