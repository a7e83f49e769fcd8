//! How far the search index has read some conversations.

use super::Value;
use super::value::marks;
use crate::id::{ConvId, Seq};
use crate::store::{Store, StoreError};

/// A conversation and how far it is in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indexed {
    pub conv: ConvId,
    pub head: Seq,
    /// Everything up to here is in the index.
    pub upto: Seq,
}

/// Those of these conversations that there are.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of(store: &dyn Store, convs: &[ConvId]) -> Result<Vec<Indexed>, StoreError> {
    if convs.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT f_conv, f_head, f_indexed FROM t_conversation WHERE f_conv IN {}",
        marks(convs.len())
    );
    let values: Vec<Value> = convs.iter().map(|conv| Value::from(*conv)).collect();
    let rows = store.select(&sql, values).await?;
    rows.iter()
        .map(|row| {
            Ok(Indexed {
                conv: row.conv(0)?,
                head: row.seq(1)?,
                upto: row.seq(2)?,
            })
        })
        .collect()
}
