//! Whom a user does not want to hear from.

use super::Tx;
use super::tx::refused;
use crate::api::Refusal;
use crate::id::{GROUP_ID_FIRST, Millis, UserId};
use crate::store::{Outcome, Store, StoreError};

/// A write about blocks.
#[derive(Clone, Debug)]
pub enum BlockChange {
    /// Blocking again changes nothing. Refused: `Oneself`, `NoSuchUser`.
    Add {
        user: UserId,
        blocked: UserId,
        at: Millis,
    },
    /// Never refused.
    Remove { user: UserId, blocked: UserId },
}

pub(super) async fn apply<T: Tx>(tx: &mut T, change: &BlockChange) -> Result<Outcome, T::Fault> {
    match change {
        BlockChange::Add { user, blocked, at } => {
            if user == blocked {
                return refused(Refusal::Oneself);
            }
            let there = tx.lock(&[user.0, blocked.0]).await?;
            if !there.contains(&blocked.0) || blocked.0 >= GROUP_ID_FIRST {
                return refused(Refusal::NoSuchUser);
            }
            let sql = format!(
                "{} INTO t_block (f_user_id, f_blocked_id, f_time) VALUES (?, ?, ?)",
                T::INSERT_IGNORE
            );
            let values = vec![(*user).into(), (*blocked).into(), (*at).into()];
            tx.execute(&sql, values).await?;
        }
        BlockChange::Remove { user, blocked } => {
            let sql = "DELETE FROM t_block WHERE f_user_id = ? AND f_blocked_id = ?";
            tx.execute(sql, vec![(*user).into(), (*blocked).into()])
                .await?;
        }
    }
    Ok(Outcome::done())
}

/// Whom this user blocked, and since when, the newest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of_user(store: &dyn Store, user: UserId) -> Result<Vec<(UserId, Millis)>, StoreError> {
    let sql = "SELECT f_blocked_id, f_time FROM t_block WHERE f_user_id = ? \
         ORDER BY f_time DESC, f_blocked_id";
    let rows = store.select(sql, vec![user.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.user(0)?, row.millis(1)?)))
        .collect()
}

/// Whether `by` blocked `whom`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn is_blocked(store: &dyn Store, by: UserId, whom: UserId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM t_block WHERE f_user_id = ? AND f_blocked_id = ?";
    let rows = store.select(sql, vec![by.into(), whom.into()]).await?;
    Ok(!rows.is_empty())
}
