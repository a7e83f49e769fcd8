//! All stored files in order, for who compares them with what is kept.

use std::collections::HashSet;

use crate::id::BlobId;
use crate::store::bulk::{lookups, marks};
use crate::store::shared::Value;
use crate::store::{Store, StoreError};

/// A file that the database knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub blob: BlobId,
    /// Length in bytes.
    pub size: u64,
    /// The content is deleted, or will be.
    pub is_gone: bool,
}

/// Known files in ascending order, at most `limit` of them.
///
/// # Errors
/// When the database cannot be asked.
pub async fn known(
    store: &dyn Store,
    after: Option<BlobId>,
    limit: u32,
) -> Result<Vec<Known>, StoreError> {
    // The text comes before every hash.
    let after = after.map_or_else(|| Value::Text(String::new()), Value::from);
    let sql = "SELECT f_sha256, f_size, f_gone IS NOT NULL FROM t_blob WHERE f_sha256 > ? \
         ORDER BY f_sha256 LIMIT ?";
    let rows = store.select(sql, vec![after, limit.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Known {
                blob: row.blob(0)?,
                size: row.unsigned(1)?,
                is_gone: row.flag(2)?,
            })
        })
        .collect()
}

/// Those of these files that the database knows, also those that are gone.
///
/// # Errors
/// When the database cannot be asked.
pub async fn known_of(store: &dyn Store, blobs: &[BlobId]) -> Result<HashSet<BlobId>, StoreError> {
    let mut found = HashSet::with_capacity(blobs.len());
    for keys in lookups(blobs) {
        let marks = marks(keys.len());
        let sql = format!("SELECT f_sha256 FROM t_blob WHERE f_sha256 IN ({marks})");
        let values = keys.into_iter().map(Value::from).collect();
        for row in &store.select(&sql, values).await? {
            found.insert(row.blob(0)?);
        }
    }
    Ok(found)
}
