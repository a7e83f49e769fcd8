//! What can be asked about stored files.

use super::{Picture, class_number};
use crate::api::BlobClass;
use crate::id::{BlobId, Millis, UserId};
use crate::store::shared::{Row, Value};
use crate::store::{Store, StoreError};

/// What is known of a stored file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub blob: BlobId,
    pub size: u64,
    /// `None` for what old clients uploaded.
    pub mime: Option<String>,
    pub picture: Option<Picture>,
    /// When it was stored last.
    pub at: Millis,
}

/// Bytes a user uploaded, each content once.
pub(super) const USED: &str = "SELECT COALESCE(SUM(f_size), 0) FROM \
     (SELECT DISTINCT f_sha256, f_size FROM t_blob_owner WHERE f_user_id = ?) AS own";

/// Bytes of all files.
pub(super) const USED_IN_ALL: &str =
    "SELECT COALESCE(SUM(f_size), 0) FROM t_blob WHERE f_gone IS NULL";

/// What is known of a file; `None` if it is not here (any more).
///
/// # Errors
/// When the database cannot be asked.
pub async fn about(store: &dyn Store, blob: BlobId) -> Result<Option<About>, StoreError> {
    let sql = "SELECT f_size, f_mime, f_width, f_height, f_thumbhash, f_time FROM t_blob \
         WHERE f_sha256 = ? AND f_gone IS NULL";
    let rows = store.select(sql, vec![blob.into()]).await?;
    rows.first().map(|row| read(blob, row)).transpose()
}

fn read(blob: BlobId, row: &Row) -> Result<About, StoreError> {
    let text = |column| -> Result<Option<String>, StoreError> {
        Ok(Some(row.text(column)?).filter(|text| !text.is_empty()))
    };
    let side = |column| -> Result<Option<u32>, StoreError> {
        let side = row.maybe_int(column)?;
        Ok(side.and_then(|side| u32::try_from(side).ok()))
    };
    let picture = match (side(2)?, side(3)?) {
        (Some(width), Some(height)) => Some(Picture {
            width,
            height,
            thumbhash: text(4)?,
        }),
        _ => None,
    };
    Ok(About {
        blob,
        size: row.unsigned(0)?,
        mime: text(1)?,
        picture,
        at: row.millis(5)?,
    })
}

/// Whether this user may read this file: he uploaded it, a message that he may read refers to it, it
/// is the picture of a user or a group or a package, or it is from before references were written
/// down. Says nothing about whether the file is here.
///
/// # Errors
/// When the database cannot be asked.
pub async fn may_read(store: &dyn Store, user: UserId, blob: BlobId) -> Result<bool, StoreError> {
    // A file may be in more messages than anybody counts, and so the user's conversations are
    // gone through.
    let sql = "SELECT 1 FROM t_blob_owner WHERE f_user_id = ? AND f_sha256 = ? \
         UNION ALL SELECT 1 FROM t_blob_ref WHERE f_sha256 = ? AND f_kind IN (2, 3, 4) \
         UNION ALL SELECT 1 FROM t_blob WHERE f_sha256 = ? AND f_legacy = 2 \
         UNION ALL SELECT 1 FROM t_place p CROSS JOIN t_blob_ref r \
             ON r.f_sha256 = ? AND r.f_kind = 1 AND r.f_owner = p.f_conv \
             AND r.f_seq > p.f_since WHERE p.f_user_id = ? \
         LIMIT 1";
    let values: Vec<Value> = vec![
        user.into(),
        blob.into(),
        blob.into(),
        blob.into(),
        blob.into(),
        user.into(),
    ];
    Ok(!store.select(sql, values).await?.is_empty())
}

/// Whether everybody may read this file, signed in or not: a package.
///
/// # Errors
/// When the database cannot be asked.
pub async fn is_public(store: &dyn Store, blob: BlobId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM t_blob_ref WHERE f_sha256 = ? AND f_kind = 4 LIMIT 1";
    Ok(!store.select(sql, vec![blob.into()]).await?.is_empty())
}

/// Whether the content was deleted although messages refer to it: it got too old.
///
/// # Errors
/// When the database cannot be asked.
pub async fn is_gone(store: &dyn Store, blob: BlobId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM t_blob WHERE f_sha256 = ? AND f_gone IS NOT NULL";
    Ok(!store.select(sql, vec![blob.into()]).await?.is_empty())
}

/// Whether an old client uploaded this file: who knows it may use it, as with the old protocol.
///
/// # Errors
/// When the database cannot be asked.
pub async fn is_legacy(store: &dyn Store, blob: BlobId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM t_blob WHERE f_sha256 = ? AND f_legacy <> 0 AND f_gone IS NULL";
    Ok(!store.select(sql, vec![blob.into()]).await?.is_empty())
}

/// Whether this user uploaded this file as this class before, and it is here.
///
/// # Errors
/// When the database cannot be asked.
pub async fn uploaded_by(
    store: &dyn Store,
    user: UserId,
    class: BlobClass,
    blob: BlobId,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM t_blob_owner WHERE f_user_id = ? AND f_sha256 = ? AND f_class = ?";
    let values = vec![user.into(), blob.into(), class_number(class).into()];
    Ok(!store.select(sql, values).await?.is_empty())
}

/// Files that expired, or are gone and were not erased yet; those that expired first come first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn expired(
    store: &dyn Store,
    now: Millis,
    limit: u32,
) -> Result<Vec<BlobId>, StoreError> {
    let sql = "SELECT f_sha256 FROM t_blob WHERE f_expires <= ? ORDER BY f_expires LIMIT ?";
    let rows = store.select(sql, vec![now.into(), limit.into()]).await?;
    rows.iter().map(|row| row.blob(0)).collect()
}

/// Files that were stored before their class's moment; a class without one is kept forever, and
/// what is of both classes stays as long as either says. The oldest come first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn aged(
    store: &dyn Store,
    files_before: Option<Millis>,
    images_before: Option<Millis>,
    limit: u32,
) -> Result<Vec<BlobId>, StoreError> {
    let Some(newest) = files_before.max(images_before) else {
        return Ok(Vec::new());
    };
    let never = Millis(i64::MIN);
    let sql = "SELECT f_sha256 FROM t_blob b WHERE b.f_time < ? AND b.f_gone IS NULL \
         AND (EXISTS (SELECT 1 FROM t_blob_owner o WHERE o.f_sha256 = b.f_sha256) \
              OR EXISTS (SELECT 1 FROM t_blob_name n WHERE n.f_sha256 = b.f_sha256)) \
         AND NOT EXISTS (SELECT 1 FROM t_blob_owner o WHERE o.f_sha256 = b.f_sha256 \
              AND b.f_time >= CASE o.f_class WHEN 1 THEN ? ELSE ? END) \
         AND NOT EXISTS (SELECT 1 FROM t_blob_name n WHERE n.f_sha256 = b.f_sha256 \
              AND b.f_time >= CASE n.f_class WHEN 1 THEN ? ELSE ? END) \
         AND NOT EXISTS (SELECT 1 FROM t_blob_ref r WHERE r.f_sha256 = b.f_sha256 \
              AND r.f_kind <> 1) \
         ORDER BY b.f_time LIMIT ?";
    let (files, images) = (
        files_before.unwrap_or(never),
        images_before.unwrap_or(never),
    );
    let values: Vec<Value> = vec![
        newest.into(),
        files.into(),
        images.into(),
        files.into(),
        images.into(),
        limit.into(),
    ];
    let rows = store.select(sql, values).await?;
    rows.iter().map(|row| row.blob(0)).collect()
}

/// Files of a class that came over HTTP and have no MD5 name yet, behind `after`, ascending.
///
/// # Errors
/// When the database cannot be asked.
pub async fn unnamed(
    store: &dyn Store,
    class: BlobClass,
    after: Option<BlobId>,
    limit: u32,
) -> Result<Vec<BlobId>, StoreError> {
    let sql = "SELECT DISTINCT o.f_sha256 FROM t_blob_owner o \
         WHERE o.f_class = ? AND o.f_sha256 > ? AND NOT EXISTS (SELECT 1 FROM t_blob_name n \
              WHERE n.f_sha256 = o.f_sha256 AND n.f_class = o.f_class AND n.f_verified <> 0) \
         ORDER BY o.f_sha256 LIMIT ?";
    let after = after.map_or_else(String::new, |after| after.to_string());
    let values = vec![class_number(class).into(), after.into(), limit.into()];
    let rows = store.select(sql, values).await?;
    rows.iter().map(|row| row.blob(0)).collect()
}

/// Bytes that a user uploaded and that are here, each content once.
///
/// # Errors
/// When the database cannot be asked.
pub async fn used(store: &dyn Store, user: UserId) -> Result<u64, StoreError> {
    first(store, USED, vec![user.into()]).await
}

/// Bytes of all files that are here.
///
/// # Errors
/// When the database cannot be asked.
pub async fn used_in_all(store: &dyn Store) -> Result<u64, StoreError> {
    first(store, USED_IN_ALL, Vec::new()).await
}

async fn first(store: &dyn Store, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
    let rows = store.select(sql, values).await?;
    rows.first().map_or(Ok(0), |row| row.unsigned(0))
}
