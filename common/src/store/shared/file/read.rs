//! What can be asked about stored files.

use super::{Picture, class_number};
use crate::api::BlobClass;
use crate::id::{BlobId, Millis, UserId};
use crate::store::bulk::{lookups, marks};
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
    /// An old client uploaded it: who knows it may use it, as with the old protocol.
    pub is_legacy: bool,
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
    Ok(about_all(store, &[blob]).await?.pop())
}

/// What is known of those of these files that are here; each once, in any order.
///
/// # Errors
/// When the database cannot be asked.
pub async fn about_all(store: &dyn Store, blobs: &[BlobId]) -> Result<Vec<About>, StoreError> {
    let mut found = Vec::with_capacity(blobs.len());
    for keys in lookups(blobs) {
        let sql = format!(
            "SELECT f_sha256, f_size, f_mime, f_width, f_height, f_thumbhash, f_time, f_legacy \
             FROM t_blob WHERE f_sha256 IN ({}) AND f_gone IS NULL",
            marks(keys.len())
        );
        let values = keys.into_iter().map(Value::from).collect();
        for row in &store.select(&sql, values).await? {
            found.push(read(row)?);
        }
    }
    Ok(found)
}

fn read(row: &Row) -> Result<About, StoreError> {
    let text = |column| -> Result<Option<String>, StoreError> {
        Ok(Some(row.text(column)?).filter(|text| !text.is_empty()))
    };
    let side = |column| -> Result<Option<u32>, StoreError> {
        let side = row.maybe_int(column)?;
        Ok(side.and_then(|side| u32::try_from(side).ok()))
    };
    let picture = match (side(3)?, side(4)?) {
        (Some(width), Some(height)) => Some(Picture {
            width,
            height,
            thumbhash: text(5)?,
        }),
        _ => None,
    };
    Ok(About {
        blob: row.blob(0)?,
        size: row.unsigned(1)?,
        mime: text(2)?,
        picture,
        at: row.millis(6)?,
        is_legacy: row.flag(7)?,
    })
}

/// Whether the content was deleted although messages refer to it: it got too old.
///
/// # Errors
/// When the database cannot be asked.
pub async fn is_gone(store: &dyn Store, blob: BlobId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM t_blob WHERE f_sha256 = ? AND f_gone IS NOT NULL";
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

/// How much is kept, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub files: u64,
    pub bytes: u64,
    /// Nothing refers to them: they go when their time is over.
    pub unused_files: u64,
    pub unused_bytes: u64,
    /// Old clients uploaded them: they stay.
    pub legacy_files: u64,
    pub legacy_bytes: u64,
    /// Deleted because of their age, while messages refer to them.
    pub gone_files: u64,
}

/// Counts all files.
///
/// # Errors
/// When the database cannot be asked.
pub async fn kept(store: &dyn Store) -> Result<Kept, StoreError> {
    let sql = "SELECT COUNT(*), COALESCE(SUM(f_size), 0), \
         COALESCE(SUM(f_expires IS NOT NULL), 0), \
         COALESCE(SUM(CASE WHEN f_expires IS NOT NULL THEN f_size ELSE 0 END), 0), \
         COALESCE(SUM(f_legacy <> 0), 0), \
         COALESCE(SUM(CASE WHEN f_legacy <> 0 THEN f_size ELSE 0 END), 0) \
         FROM t_blob WHERE f_gone IS NULL";
    let rows = store.select(sql, Vec::new()).await?;
    let gone = "SELECT COUNT(*) FROM t_blob WHERE f_gone IS NOT NULL";
    let gone_files = first(store, gone, Vec::new()).await?;
    let Some(row) = rows.first() else {
        return Ok(Kept::default());
    };
    Ok(Kept {
        files: row.unsigned(0)?,
        bytes: row.unsigned(1)?,
        unused_files: row.unsigned(2)?,
        unused_bytes: row.unsigned(3)?,
        legacy_files: row.unsigned(4)?,
        legacy_bytes: row.unsigned(5)?,
        gone_files,
    })
}
