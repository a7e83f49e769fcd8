//! How much there is in a database.

use crate::id::GROUP_ID_FIRST;
use crate::store::{Store, StoreError};

/// See the module's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    pub users: u64,
    pub bots: u64,
    pub groups: u64,
    pub conversations: u64,
    /// Entries of all conversations: messages, and what happened in groups and among contacts.
    pub entries: u64,
    pub sessions: u64,
    pub files: u64,
    pub file_bytes: u64,
    pub database_bytes: u64,
}

/// Counts everything.
///
/// # Errors
/// When the database cannot be asked.
pub async fn stored(store: &dyn Store) -> Result<Stored, StoreError> {
    let numbers = async |sql: &str, values: Vec<super::Value>| {
        let rows = store.select(sql, values).await?;
        let row = rows.into_iter().next();
        row.ok_or_else(|| StoreError::Broken("a count has no row".to_owned()))
    };
    let one = async |table: &str| {
        let row = numbers(&format!("SELECT COUNT(*) FROM {table}"), Vec::new()).await?;
        row.unsigned(0)
    };
    let people = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN f_user_id >= ? THEN 1 ELSE 0 END), 0) \
         FROM t_user WHERE f_user_id > 0";
    let people = numbers(people, vec![GROUP_ID_FIRST.into()]).await?;
    let groups = people.unsigned(1)?;
    // The heads say how many entries there are without walking through all of them.
    let logs = "SELECT COUNT(*), COALESCE(SUM(f_head), 0) FROM t_conversation";
    let logs = numbers(logs, Vec::new()).await?;
    let files = "SELECT COUNT(*), COALESCE(SUM(f_size), 0) FROM t_blob WHERE f_gone IS NULL";
    let files = numbers(files, Vec::new()).await?;
    Ok(Stored {
        users: people.unsigned(0)?.saturating_sub(groups),
        bots: one("t_bot").await?,
        groups,
        conversations: logs.unsigned(0)?,
        entries: logs.unsigned(1)?,
        sessions: one("t_session").await?,
        files: files.unsigned(0)?,
        file_bytes: files.unsigned(1)?,
        database_bytes: store.size_bytes().await?,
    })
}
