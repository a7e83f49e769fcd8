//! Single facts about the whole database: the epoch of its history, the keys that sign tokens.

use super::Tx;
use crate::store::{Outcome, Store, StoreError};

/// Which history this is: random, made with the database, and anew when a backup was restored.
pub const EPOCH: &str = "epoch";
/// The key ring that signs session tokens.
pub const TOKEN_KEYS: &str = "token_keys";

/// A write of a single fact.
#[derive(Clone, Debug)]
pub enum MetaChange {
    /// Sets it if it is not set: whoever comes first decides for all servers.
    Init {
        key: &'static str,
        value: String,
    },
    Set {
        key: &'static str,
        value: String,
    },
    /// Changes nothing: it is applied when everything that was handed in before it is.
    Barrier,
}

pub(super) async fn apply<T: Tx>(tx: &mut T, change: &MetaChange) -> Result<Outcome, T::Fault> {
    let (verb, key, value) = match change {
        MetaChange::Init { key, value } => (T::INSERT_IGNORE, *key, value),
        MetaChange::Set { key, value } => ("REPLACE", *key, value),
        MetaChange::Barrier => return Ok(Outcome::done()),
    };
    let sql = format!("{verb} INTO t_meta (f_key, f_value) VALUES (?, ?)");
    tx.execute(&sql, vec![key.into(), value.clone().into()])
        .await?;
    Ok(Outcome::done())
}

/// A single fact; `None` if it was never set.
///
/// # Errors
/// When the database cannot be asked.
pub async fn get(store: &dyn Store, key: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT f_value FROM t_meta WHERE f_key = ?";
    let rows = store.select(sql, vec![key.into()]).await?;
    rows.first().map(|row| row.text(0)).transpose()
}

/// Which history this is. Every store has one from its first opening on.
///
/// # Errors
/// When the database cannot be asked.
pub async fn epoch(store: &dyn Store) -> Result<u32, StoreError> {
    let text = get(store, EPOCH).await?;
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| StoreError::Broken("the database has no epoch".to_owned()))
}

/// A new epoch, as it is stored: random, so that two histories never have the same; not 0, which
/// clients may send for "none".
pub(in crate::store) fn new_epoch() -> Result<String, StoreError> {
    loop {
        let random = getrandom::u32()
            .map_err(|error| StoreError::Broken(format!("no random number: {error}")))?;
        if random > 0 {
            return Ok(random.to_string());
        }
    }
}
