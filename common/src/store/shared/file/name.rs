//! The MD5 names by which old clients find files that came over HTTP.

use std::collections::HashMap;

use super::class_number;
use crate::api::BlobClass;
use crate::id::BlobId;
use crate::store::bulk::{lookups, marks};
use crate::store::shared::Value;
use crate::store::{Store, StoreError};

/// A file that has no name in a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nameless {
    pub class: BlobClass,
    pub blob: BlobId,
    /// Its MD5, if that is known because it has a name in another class.
    pub md5: Option<String>,
}

/// Those of these files that have no name in their class.
///
/// # Errors
/// When the database cannot be asked.
pub async fn nameless(
    store: &dyn Store,
    wanted: &[(BlobClass, BlobId)],
) -> Result<Vec<Nameless>, StoreError> {
    let mut named: HashMap<(i64, BlobId), Option<String>> = HashMap::new();
    let blobs: Vec<BlobId> = wanted.iter().map(|(_, blob)| *blob).collect();
    for keys in lookups(&blobs) {
        let sql = format!(
            "SELECT f_sha256, f_class, f_name, f_verified FROM t_blob_name \
             WHERE f_sha256 IN ({}) ORDER BY f_verified",
            marks(keys.len())
        );
        let values = keys.into_iter().map(Value::from).collect();
        for row in &store.select(&sql, values).await? {
            let md5 = row.flag(3)?.then(|| row.text(2)).transpose()?;
            named.insert((row.int(1)?, row.blob(0)?), md5);
        }
    }
    let lacks =
        |(class, blob): &&(BlobClass, BlobId)| !named.contains_key(&(class_number(*class), *blob));
    let nameless = |(class, blob): &(BlobClass, BlobId)| Nameless {
        class: *class,
        blob: *blob,
        md5: [BlobClass::File, BlobClass::Image]
            .into_iter()
            .find_map(|other| named.get(&(class_number(other), *blob))?.clone()),
    };
    Ok(wanted.iter().filter(lacks).map(nameless).collect())
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
    // A join: for `NOT EXISTS` MariaDB makes a copy of all names first.
    let sql = "SELECT DISTINCT o.f_sha256 FROM t_blob_owner o LEFT JOIN t_blob_name n \
              ON n.f_sha256 = o.f_sha256 AND n.f_class = o.f_class AND n.f_verified <> 0 \
         WHERE o.f_class = ? AND o.f_sha256 > ? AND n.f_sha256 IS NULL \
         ORDER BY o.f_sha256 LIMIT ?";
    let after = after.map_or_else(String::new, |after| after.to_string());
    let values = vec![class_number(class).into(), after.into(), limit.into()];
    let rows = store.select(sql, values).await?;
    rows.iter().map(|row| row.blob(0)).collect()
}
