//! Outgoing webhooks: where what an account may read is posted to, and what was never taken there.
//!
//! A hook is a device of its account. How far it got is that device's cursors; nothing of a message
//! is kept here.

use std::fmt;

use super::tx::refused;
use super::{Row, Tx, Value};
use crate::api::Refusal;
use crate::id::{ConvId, DeviceId, HookId, Millis, Seq, UserId};
use crate::store::{Outcome, Store, StoreError};

/// How many dead letters are kept for a hook; of more the oldest go.
pub const DEAD_LETTERS_MAX: u32 = 1_000;

/// What the database keeps of a device that is a hook.
const DEVICE_KIND: &str = "bot";

/// A write about outgoing webhooks.
#[derive(Clone, Debug)]
pub enum OutgoingHookChange {
    /// Makes a hook with its device. It begins at the end of every conversation that the account
    /// may read now. Refused: `NoSuchUser`, `TooMany` (of the creator's, or of all),
    /// `NoSuchConversation` (one that the account may not read).
    Create {
        hook: OutgoingHook,
        of_creator_max: u32,
        total_max: u32,
    },
    /// Forgets a hook with its device and its dead letters. Refused: `NoSuchWebhook` (also for
    /// somebody else's, here and below).
    Delete { creator: UserId, hook: HookId },
    /// From now on nothing is posted, or what is behind the cursors. Refused: `NoSuchWebhook`.
    SetPaused {
        creator: UserId,
        hook: HookId,
        since: Option<Millis>,
    },
    /// Refused: `NoSuchWebhook`.
    SetSecret {
        creator: UserId,
        hook: HookId,
        secret: HookSecret,
    },
    /// An entry is given up: it becomes a dead letter, and the hook's cursor passes it. One that is
    /// a dead letter already is replaced. Done with the number of older ones that had to go; a
    /// hook that is gone is ignored. Never refused.
    Bury {
        hook: HookId,
        letter: DeadLetter,
        letters_max: u32,
    },
    /// A dead letter was taken after all, or nobody may read it any more. Never refused.
    Unbury {
        hook: HookId,
        conv: ConvId,
        seq: Seq,
    },
    /// Forgets all dead letters of a hook. Refused: `NoSuchWebhook`.
    Clear { creator: UserId, hook: HookId },
}

/// A hook as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingHook {
    pub hook: HookId,
    /// What this account may read is posted.
    pub user: UserId,
    /// Who made the hook and may change it.
    pub creator: UserId,
    pub device: DeviceId,
    /// The one conversation that is posted; `None` for all.
    pub conv: Option<ConvId>,
    pub name: String,
    pub url: String,
    pub secret: HookSecret,
    pub created: Millis,
    pub paused: Option<Millis>,
}

/// What deliveries are signed with; not to be read in any log.
#[derive(Clone, PartialEq, Eq)]
pub struct HookSecret(pub String);

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookSecret(..)")
    }
}

/// A hook, and what else there is to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub hook: OutgoingHook,
    pub dead_letters: u32,
    /// The person who answers for it: its creator, or whose bot that is.
    pub answerable: UserId,
    /// The account may not be used at the moment.
    pub is_disabled: bool,
}

/// An entry that a hook's target never took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    pub conv: ConvId,
    pub seq: Seq,
    /// When it was given up.
    pub time: Millis,
    pub attempts: u32,
    pub reason: String,
}

const COLUMNS: &str = "h.f_hook, h.f_user_id, h.f_creator, h.f_device, h.f_conv, h.f_name, \
     h.f_url, h.f_secret, h.f_created, h.f_paused, \
     (SELECT COUNT(*) FROM t_dead_letter d WHERE d.f_hook = h.f_hook), \
     COALESCE((SELECT b.f_owner_id FROM t_bot b WHERE b.f_user_id = h.f_creator), h.f_creator), \
     EXISTS (SELECT 1 FROM t_account_state s WHERE s.f_user_id = h.f_user_id \
         AND s.f_disabled > 0) \
     OR EXISTS (SELECT 1 FROM t_bot b JOIN t_account_state s ON s.f_user_id = b.f_owner_id \
         WHERE b.f_user_id = h.f_user_id AND s.f_disabled > 0) \
     FROM t_outgoing_hook h";

pub(super) async fn apply<T: Tx>(
    tx: &mut T,
    change: &OutgoingHookChange,
) -> Result<Outcome, T::Fault> {
    match change {
        OutgoingHookChange::Create {
            hook,
            of_creator_max,
            total_max,
        } => create(tx, hook, (*of_creator_max, *total_max)).await,
        OutgoingHookChange::Delete { creator, hook } => delete(tx, *creator, *hook).await,
        OutgoingHookChange::SetPaused {
            creator,
            hook,
            since,
        } => {
            let since = Value::from(since.unwrap_or(Millis(0)));
            set(tx, *creator, *hook, "f_paused", since).await
        }
        OutgoingHookChange::SetSecret {
            creator,
            hook,
            secret,
        } => set(tx, *creator, *hook, "f_secret", secret.0.as_str().into()).await,
        OutgoingHookChange::Bury {
            hook,
            letter,
            letters_max,
        } => bury(tx, *hook, letter, *letters_max).await,
        OutgoingHookChange::Unbury { hook, conv, seq } => {
            let sql = "DELETE FROM t_dead_letter WHERE f_hook = ? AND f_conv = ? AND f_seq = ?";
            let values = vec![(*hook).into(), (*conv).into(), (*seq).into()];
            tx.execute(sql, values).await?;
            Ok(Outcome::done())
        }
        OutgoingHookChange::Clear { creator, hook } => {
            if device_of(tx, Some(*creator), *hook).await?.is_none() {
                return refused(Refusal::NoSuchWebhook);
            }
            let sql = "DELETE FROM t_dead_letter WHERE f_hook = ?";
            tx.execute(sql, vec![(*hook).into()]).await?;
            Ok(Outcome::done())
        }
    }
}

async fn create<T: Tx>(
    tx: &mut T,
    hook: &OutgoingHook,
    (of_creator_max, total_max): (u32, u32),
) -> Result<Outcome, T::Fault> {
    let locked = tx.lock(&[hook.creator.0, hook.user.0]).await?;
    if ![hook.creator, hook.user]
        .iter()
        .all(|one| locked.contains(&one.0))
    {
        return refused(Refusal::NoSuchUser);
    }
    // It is there already when a change is repeated whose answer was lost.
    if device_of(tx, Some(hook.creator), hook.hook)
        .await?
        .is_some()
    {
        return Ok(Outcome::done());
    }
    let sql = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN f_creator = ? THEN 1 ELSE 0 END), 0) \
         FROM t_outgoing_hook";
    let rows = tx.select(sql, vec![hook.creator.into()]).await?;
    if let Some(row) = rows.first()
        && (row.u32(0)? >= total_max || row.u32(1)? >= of_creator_max)
    {
        return refused(Refusal::TooMany);
    }
    if let Some(conv) = hook.conv {
        let sql = "SELECT 1 FROM t_place WHERE f_user_id = ? AND f_conv = ?";
        let rows = tx.select(sql, vec![hook.user.into(), conv.into()]).await?;
        if rows.is_empty() {
            return refused(Refusal::NoSuchConversation);
        }
    }
    let sql = "INSERT INTO t_outgoing_hook (f_hook, f_user_id, f_creator, f_device, f_conv, \
         f_name, f_url, f_secret, f_created, f_paused) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = vec![
        hook.hook.into(),
        hook.user.into(),
        hook.creator.into(),
        hook.device.into(),
        hook.conv.unwrap_or(ConvId(0)).into(),
        hook.name.as_str().into(),
        hook.url.as_str().into(),
        hook.secret.0.as_str().into(),
        hook.created.into(),
        hook.paused.unwrap_or(Millis(0)).into(),
    ];
    tx.execute(sql, values).await?;
    begin_now(tx, hook).await?;
    Ok(Outcome::done())
}

/// Makes the hook's device known, at the end of what its account may read.
async fn begin_now<T: Tx>(tx: &mut T, hook: &OutgoingHook) -> Result<(), T::Fault> {
    let sql = "INSERT INTO t_device (f_user_id, f_device, f_registered, f_kind, f_name) \
         VALUES (?, ?, ?, ?, ?)";
    let values = vec![
        hook.user.into(),
        hook.device.into(),
        hook.created.into(),
        DEVICE_KIND.into(),
        hook.name.as_str().into(),
    ];
    tx.execute(sql, values).await?;
    // Without a cursor a device begins where its user may.
    let of_one = match hook.conv {
        Some(_) => "AND p.f_conv = ?",
        None => "",
    };
    let sql = format!(
        "INSERT INTO t_cursor (f_user_id, f_device, f_conv, f_seq) \
         SELECT p.f_user_id, ?, p.f_conv, v.f_head \
         FROM t_place p JOIN t_conversation v ON v.f_conv = p.f_conv \
         WHERE p.f_user_id = ? AND v.f_head > p.f_since {of_one}"
    );
    let mut values = vec![hook.device.into(), hook.user.into()];
    values.extend(hook.conv.map(Value::from));
    tx.execute(&sql, values).await?;
    Ok(())
}

/// The account and the device of a hook; `None` for one that is gone, or not this creator's.
async fn device_of<T: Tx>(
    tx: &mut T,
    creator: Option<UserId>,
    hook: HookId,
) -> Result<Option<(UserId, DeviceId)>, T::Fault> {
    let sql = "SELECT f_user_id, f_device, f_creator FROM t_outgoing_hook WHERE f_hook = ?";
    let rows = tx.select(sql, vec![hook.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let is_his = creator.is_none_or(|creator| row.user(2).is_ok_and(|of| of == creator));
    Ok(is_his
        .then(|| Ok::<_, StoreError>((row.user(0)?, row.device(1)?)))
        .transpose()?)
}

async fn delete<T: Tx>(tx: &mut T, creator: UserId, hook: HookId) -> Result<Outcome, T::Fault> {
    tx.lock(&[creator.0]).await?;
    let Some((user, device)) = device_of(tx, Some(creator), hook).await? else {
        return refused(Refusal::NoSuchWebhook);
    };
    for table in ["t_dead_letter", "t_outgoing_hook"] {
        let sql = format!("DELETE FROM {table} WHERE f_hook = ?");
        tx.execute(&sql, vec![hook.into()]).await?;
    }
    for table in ["t_cursor", "t_device"] {
        let sql = format!("DELETE FROM {table} WHERE f_user_id = ? AND f_device = ?");
        tx.execute(&sql, vec![user.into(), device.into()]).await?;
    }
    Ok(Outcome::done())
}

async fn set<T: Tx>(
    tx: &mut T,
    creator: UserId,
    hook: HookId,
    column: &str,
    value: Value,
) -> Result<Outcome, T::Fault> {
    if device_of(tx, Some(creator), hook).await?.is_none() {
        return refused(Refusal::NoSuchWebhook);
    }
    let sql = format!("UPDATE t_outgoing_hook SET {column} = ? WHERE f_hook = ?");
    tx.execute(&sql, vec![value, hook.into()]).await?;
    Ok(Outcome::done())
}

async fn bury<T: Tx>(
    tx: &mut T,
    hook: HookId,
    letter: &DeadLetter,
    letters_max: u32,
) -> Result<Outcome, T::Fault> {
    let Some((user, device)) = device_of(tx, None, hook).await? else {
        return Ok(Outcome::done());
    };
    pass(tx, (user, device), letter.conv, letter.seq).await?;
    let sql = "REPLACE INTO t_dead_letter (f_hook, f_conv, f_seq, f_time, f_attempts, f_reason) \
         VALUES (?, ?, ?, ?, ?, ?)";
    let values = vec![
        hook.into(),
        letter.conv.into(),
        letter.seq.into(),
        letter.time.into(),
        letter.attempts.into(),
        letter.reason.as_str().into(),
    ];
    tx.execute(sql, values).await?;
    let sql = "SELECT COUNT(*) FROM t_dead_letter WHERE f_hook = ?";
    let rows = tx.select(sql, vec![hook.into()]).await?;
    let count = rows.first().map(|row| row.u32(0)).transpose()?;
    let too_many = count.unwrap_or(0).saturating_sub(letters_max);
    if too_many > 0 {
        let sql = "SELECT f_conv, f_seq FROM t_dead_letter WHERE f_hook = ? \
             ORDER BY f_time, f_conv, f_seq LIMIT ?";
        for row in tx.select(sql, vec![hook.into(), too_many.into()]).await? {
            let sql = "DELETE FROM t_dead_letter WHERE f_hook = ? AND f_conv = ? AND f_seq = ?";
            let values = vec![hook.into(), row.conv(0)?.into(), row.seq(1)?.into()];
            tx.execute(sql, values).await?;
        }
    }
    Ok(Outcome::Done {
        id: Some(too_many),
        entries: Vec::new(),
    })
}

/// Moves a cursor forward, as `Change::MoveCursor` does.
async fn pass<T: Tx>(
    tx: &mut T,
    (user, device): (UserId, DeviceId),
    conv: ConvId,
    seq: Seq,
) -> Result<(), T::Fault> {
    let sql = "SELECT v.f_head, COALESCE(c.f_seq, p.f_since) FROM t_place p \
         JOIN t_conversation v ON v.f_conv = p.f_conv \
         LEFT JOIN t_cursor c ON c.f_user_id = p.f_user_id AND c.f_conv = p.f_conv \
             AND c.f_device = ? \
         WHERE p.f_user_id = ? AND p.f_conv = ?";
    let rows = tx
        .select(sql, vec![device.into(), user.into(), conv.into()])
        .await?;
    let Some(row) = rows.first() else {
        return Ok(());
    };
    let seq = seq.min(row.seq(0)?);
    if seq > row.seq(1)? {
        let sql = "REPLACE INTO t_cursor (f_user_id, f_device, f_conv, f_seq) VALUES (?, ?, ?, ?)";
        let values = vec![user.into(), device.into(), conv.into(), seq.into()];
        tx.execute(sql, values).await?;
    }
    Ok(())
}

/// The hooks that somebody made, oldest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of_creator(store: &dyn Store, creator: UserId) -> Result<Vec<Found>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE h.f_creator = ? ORDER BY h.f_created, h.f_hook");
    let rows = store.select(&sql, vec![creator.into()]).await?;
    rows.iter().map(found).collect()
}

/// One hook.
///
/// # Errors
/// When the database cannot be asked.
pub async fn get(store: &dyn Store, hook: HookId) -> Result<Option<Found>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE h.f_hook = ?");
    let rows = store.select(&sql, vec![hook.into()]).await?;
    rows.first().map(found).transpose()
}

/// The numbers of all hooks.
///
/// # Errors
/// When the database cannot be asked.
pub async fn all(store: &dyn Store) -> Result<Vec<HookId>, StoreError> {
    let sql = "SELECT f_hook FROM t_outgoing_hook ORDER BY f_hook";
    let rows = store.select(sql, Vec::new()).await?;
    rows.iter().map(|row| row.hook(0)).collect()
}

/// The numbers of the hooks that post what this account, or a bot of its, may read.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of_user(store: &dyn Store, user: UserId) -> Result<Vec<HookId>, StoreError> {
    let sql = "SELECT f_hook FROM t_outgoing_hook WHERE f_user_id = ? OR f_user_id IN \
         (SELECT b.f_user_id FROM t_bot b WHERE b.f_owner_id = ?) ORDER BY f_hook";
    let rows = store.select(sql, vec![user.into(), user.into()]).await?;
    rows.iter().map(|row| row.hook(0)).collect()
}

/// The dead letters of a hook, in the order in which they were given up.
///
/// # Errors
/// When the database cannot be asked.
pub async fn dead_letters(store: &dyn Store, hook: HookId) -> Result<Vec<DeadLetter>, StoreError> {
    let sql = "SELECT f_conv, f_seq, f_time, f_attempts, f_reason FROM t_dead_letter \
         WHERE f_hook = ? ORDER BY f_time, f_conv, f_seq";
    let rows = store.select(sql, vec![hook.into()]).await?;
    rows.iter().map(dead_letter).collect()
}

fn found(row: &Row) -> Result<Found, StoreError> {
    let hook = OutgoingHook {
        hook: row.hook(0)?,
        user: row.user(1)?,
        creator: row.user(2)?,
        device: row.device(3)?,
        conv: Some(row.conv(4)?).filter(|conv| conv.0 != 0),
        name: row.text(5)?,
        url: row.text(6)?,
        secret: HookSecret(row.text(7)?),
        created: row.millis(8)?,
        paused: Some(row.millis(9)?).filter(|since| since.0 != 0),
    };
    Ok(Found {
        hook,
        dead_letters: row.u32(10)?,
        answerable: row.user(11)?,
        is_disabled: row.flag(12)?,
    })
}

fn dead_letter(row: &Row) -> Result<DeadLetter, StoreError> {
    Ok(DeadLetter {
        conv: row.conv(0)?,
        seq: row.seq(1)?,
        time: row.millis(2)?,
        attempts: row.u32(3)?,
        reason: row.text(4)?,
    })
}
