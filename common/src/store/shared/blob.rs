//! Which names of the old transfer protocol stand for a stored file.

use std::collections::HashMap;

use super::Value;
use crate::id::BlobId;
use crate::store::bulk::{lookups, marks};
use crate::store::{BlobClass, Store, StoreError};

/// Names that are looked at, per file asked for. One that was uploaded under more names than this
/// still has its verified ones, which come first.
const NAMES_MAX: usize = 16;

/// A stored file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub blob: BlobId,
    /// Length in bytes.
    pub size: u64,
    /// Its names, the verified ones (the MD5 of the content) first.
    pub names: Vec<(BlobClass, String)>,
}

/// Those of these files that are stored, in the order asked.
///
/// # Errors
/// When the database cannot be asked.
pub async fn stored(store: &dyn Store, blobs: &[BlobId]) -> Result<Vec<Stored>, StoreError> {
    let mut found: HashMap<BlobId, Stored> = HashMap::with_capacity(blobs.len());
    for keys in lookups(blobs) {
        let limit = Value::Int(i64::try_from(keys.len() * NAMES_MAX).unwrap_or(i64::MAX));
        let mut values: Vec<Value> = keys.iter().map(|blob| (*blob).into()).collect();
        let marks = marks(keys.len());
        let sql = format!("SELECT f_sha256, f_size FROM t_blob WHERE f_sha256 IN ({marks})");
        for row in &store.select(&sql, values.clone()).await? {
            let (blob, size) = (row.blob(0)?, row.unsigned(1)?);
            let names = Vec::new();
            found.insert(blob, Stored { blob, size, names });
        }
        let sql = format!(
            "SELECT f_sha256, f_class, f_name FROM t_blob_name WHERE f_sha256 IN ({marks}) \
             ORDER BY f_verified DESC, f_class, f_name LIMIT ?"
        );
        values.push(limit);
        for row in &store.select(&sql, values).await? {
            let class = class(row.int(1)?)?;
            if let Some(stored) = found.get_mut(&row.blob(0)?) {
                stored.names.push((class, row.text(2)?));
            }
        }
    }
    Ok(blobs
        .iter()
        .filter_map(|blob| found.get(blob).cloned())
        .collect())
}

fn class(number: i64) -> Result<BlobClass, StoreError> {
    match number {
        1 => Ok(BlobClass::File),
        2 => Ok(BlobClass::Image),
        other => Err(StoreError::Broken(format!("f_class is {other}"))),
    }
}
