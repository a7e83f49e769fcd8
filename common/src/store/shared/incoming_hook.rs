//! Webhooks through which others write into a conversation: whoever knows the secret writes as the
//! webhook's author.
//!
//! Of a secret only its SHA-256 is kept. Comparing is the caller's business.

use super::tx::refused;
use super::{Row, Tx, bot};
use crate::api::Refusal;
use crate::id::{ConvId, HookId, Millis, UserId};
use crate::store::{Guard, Outcome, Store, StoreError};

/// How many a user has at the most: one for each program that reports something.
pub const INCOMING_HOOKS_MAX: u32 = 100;

/// A write about incoming webhooks. Of somebody else's all but `Create` say `NoSuchWebhook`.
#[derive(Clone, Debug)]
pub enum IncomingHookChange {
    /// Refused: `NoSuchBot` if the author is neither the creator nor his bot; `TooMany`
    /// ([`INCOMING_HOOKS_MAX`] of the creator); what the guard says of the author.
    Create {
        hook: IncomingHook,
        secret: SecretHash,
        guard: Guard,
    },
    /// The secret before is worth nothing any more.
    Rotate {
        creator: UserId,
        hook: HookId,
        secret: SecretHash,
    },
    Remove {
        creator: UserId,
        hook: HookId,
    },
    /// Somebody wrote through it. Never refused.
    Used {
        hook: HookId,
        at: Millis,
    },
}

/// The SHA-256 of a secret, in lower-case hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHash(pub String);

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretHash").finish_non_exhaustive()
    }
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingHook {
    pub hook: HookId,
    /// Who writes what comes through it: the creator, or a bot of his.
    pub author: UserId,
    pub creator: UserId,
    pub conv: ConvId,
    /// What the creator calls it.
    pub name: String,
    pub created: Millis,
    /// When somebody last wrote through it, to the minute; 0 for never.
    pub used: Millis,
}

const COLUMNS: &str = "f_hook, f_user_id, f_creator, f_conv, f_name, f_created, f_used, f_secret \
     FROM t_incoming_hook";

pub(super) async fn apply<T: Tx>(
    tx: &mut T,
    change: &IncomingHookChange,
) -> Result<Outcome, T::Fault> {
    match change {
        IncomingHookChange::Create {
            hook,
            secret,
            guard,
        } => create(tx, hook, secret, *guard).await,
        IncomingHookChange::Rotate {
            creator,
            hook,
            secret,
        } => {
            if !is_of(tx, *creator, *hook).await? {
                return refused(Refusal::NoSuchWebhook);
            }
            let sql = "UPDATE t_incoming_hook SET f_secret = ? WHERE f_hook = ?";
            tx.execute(sql, vec![secret.0.as_str().into(), (*hook).into()])
                .await?;
            Ok(Outcome::done())
        }
        IncomingHookChange::Remove { creator, hook } => {
            if !is_of(tx, *creator, *hook).await? {
                return refused(Refusal::NoSuchWebhook);
            }
            let sql = "DELETE FROM t_incoming_hook WHERE f_hook = ?";
            tx.execute(sql, vec![(*hook).into()]).await?;
            Ok(Outcome::done())
        }
        IncomingHookChange::Used { hook, at } => {
            let sql = "UPDATE t_incoming_hook SET f_used = ? WHERE f_hook = ? AND f_used < ?";
            tx.execute(sql, vec![(*at).into(), (*hook).into(), (*at).into()])
                .await?;
            Ok(Outcome::done())
        }
    }
}

/// Locks the creator and says whether it is his.
async fn is_of<T: Tx>(tx: &mut T, creator: UserId, hook: HookId) -> Result<bool, T::Fault> {
    tx.lock(&[creator.0]).await?;
    let sql = "SELECT 1 FROM t_incoming_hook WHERE f_hook = ? AND f_creator = ?";
    let rows = tx.select(sql, vec![hook.into(), creator.into()]).await?;
    Ok(!rows.is_empty())
}

async fn create<T: Tx>(
    tx: &mut T,
    hook: &IncomingHook,
    secret: &SecretHash,
    guard: Guard,
) -> Result<Outcome, T::Fault> {
    let (creator, author) = (hook.creator, hook.author);
    if creator == author {
        tx.lock(&[creator.0]).await?;
    } else if !bot::owns(tx, creator, author).await? {
        return refused(Refusal::NoSuchBot);
    }
    if is_of(tx, creator, hook.hook).await? {
        // The change is repeated.
        return Ok(Outcome::done());
    }
    let sql = "SELECT COUNT(*) FROM t_incoming_hook WHERE f_creator = ?";
    let counted = tx.select(sql, vec![creator.into()]).await?;
    let count = counted.first().map_or(Ok(0), |row| row.u32(0))?;
    if count >= INCOMING_HOOKS_MAX {
        return refused(Refusal::TooMany);
    }
    tx.head(hook.conv).await?;
    let refusal = tx
        .check_guard(author, hook.conv, guard, hook.created)
        .await?;
    if let Some(refusal) = refusal {
        return refused(refusal);
    }
    let sql = "INSERT INTO t_incoming_hook (f_hook, f_user_id, f_creator, f_conv, f_name, \
         f_secret, f_created, f_used) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let values = vec![
        hook.hook.into(),
        author.into(),
        creator.into(),
        hook.conv.into(),
        hook.name.as_str().into(),
        secret.0.as_str().into(),
        hook.created.into(),
        hook.used.into(),
    ];
    tx.execute(sql, values).await?;
    Ok(Outcome::done())
}

/// A webhook and the hash of its secret.
///
/// # Errors
/// When the database cannot be asked.
pub async fn get(
    store: &dyn Store,
    hook: HookId,
) -> Result<Option<(IncomingHook, SecretHash)>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE f_hook = ?");
    let rows = store.select(&sql, vec![hook.into()]).await?;
    let found = rows
        .first()
        .map(|row| Ok((of_row(row)?, SecretHash(row.text(7)?))));
    found.transpose()
}

/// The webhooks that a user made, in the order in which he made them.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of_creator(
    store: &dyn Store,
    creator: UserId,
) -> Result<Vec<IncomingHook>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE f_creator = ? ORDER BY f_created, f_hook");
    let rows = store.select(&sql, vec![creator.into()]).await?;
    rows.iter().map(of_row).collect()
}

fn of_row(row: &Row) -> Result<IncomingHook, StoreError> {
    Ok(IncomingHook {
        hook: row.hook(0)?,
        author: row.user(1)?,
        creator: row.user(2)?,
        conv: row.conv(3)?,
        name: row.text(4)?,
        created: row.millis(5)?,
        used: row.millis(6)?,
    })
}
