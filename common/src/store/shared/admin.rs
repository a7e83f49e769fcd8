//! What administrators decide about accounts: who is locked out, and who is an administrator.

use super::tx::refused;
use super::value::marks;
use super::{Row, Tx, Value, bot, people, session};
use crate::api::Refusal;
use crate::id::{GROUP_ID_FIRST, Millis, UserId};
use crate::store::{Outcome, Store, StoreError};

/// A write about an account that is not its owner's. Refused, all of them: `NoSuchUser`.
#[derive(Clone, Debug)]
pub enum AdminChange {
    /// Locks the account, and ends all its sign-ins and those of its bots. Locking again keeps the
    /// first time.
    Disable { user: UserId, at: Millis },
    /// Lets the account in again.
    Enable { user: UserId },
    /// Makes an administrator, or an ordinary user again. Refused: `LastAdmin` if `by` takes the
    /// role from himself and nobody else could give it back.
    SetRole {
        user: UserId,
        is_admin: bool,
        by: UserId,
    },
    /// Replaces the password whatever it was, and ends all sign-ins.
    ResetPassword { user: UserId, password_hash: String },
}

/// What an administrator decided about an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountState {
    pub is_admin: bool,
    /// Since when nobody gets in.
    pub disabled: Option<Millis>,
}

/// An account as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAccount {
    pub id: UserId,
    pub username: String,
    pub nickname: String,
    pub state: AccountState,
    /// When the user was last there: on line, with a call, or with a new device.
    pub last_seen: Option<Millis>,
    /// Whether the account belongs to a program.
    pub is_bot: bool,
}

/// Which accounts are looked for.
#[derive(Clone, Debug)]
pub struct Sought {
    /// What a name has in it, or the number; empty for everybody.
    pub text: String,
    /// Exactly this user name.
    pub username: Option<String>,
    pub only: Only,
    /// Behind this number.
    pub after: UserId,
    pub limit: u32,
}

impl Default for Sought {
    fn default() -> Self {
        Self {
            text: String::new(),
            username: None,
            only: Only::All,
            after: UserId(0),
            limit: u32::MAX,
        }
    }
}

/// A part of all accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    All,
    Disabled,
    Admins,
}

pub(super) async fn apply<T: Tx>(tx: &mut T, change: &AdminChange) -> Result<Outcome, T::Fault> {
    match change {
        AdminChange::Disable { user, at } => {
            if !is_user(tx, *user).await? {
                return refused(Refusal::NoSuchUser);
            }
            make_row(tx, *user).await?;
            let sql = "UPDATE t_account_state SET f_disabled = ? \
                 WHERE f_user_id = ? AND f_disabled = 0";
            tx.execute(sql, vec![(*at).into(), (*user).into()]).await?;
            session::end_every(tx, *user).await?;
            for bot in bot::owned(tx, *user).await? {
                session::end_every(tx, bot).await?;
            }
        }
        AdminChange::Enable { user } => {
            if !is_user(tx, *user).await? {
                return refused(Refusal::NoSuchUser);
            }
            let sql = "UPDATE t_account_state SET f_disabled = 0 WHERE f_user_id = ?";
            tx.execute(sql, vec![(*user).into()]).await?;
        }
        AdminChange::SetRole { user, is_admin, by } => {
            return set_role(tx, *user, *is_admin, *by).await;
        }
        AdminChange::ResetPassword {
            user,
            password_hash,
        } => {
            if !is_user(tx, *user).await? {
                return refused(Refusal::NoSuchUser);
            }
            let sql = "UPDATE t_user SET f_password = '', f_password_hash = ? WHERE f_user_id = ?";
            let values = vec![password_hash.as_str().into(), (*user).into()];
            tx.execute(sql, values).await?;
            session::end_every(tx, *user).await?;
        }
    }
    Ok(Outcome::done())
}

async fn set_role<T: Tx>(
    tx: &mut T,
    user: UserId,
    is_admin: bool,
    by: UserId,
) -> Result<Outcome, T::Fault> {
    if !is_user(tx, user).await? {
        return refused(Refusal::NoSuchUser);
    }
    if user == by && !is_admin {
        // Locked, so that two who step down together do not each count on the other.
        let sql = format!(
            "SELECT f_user_id FROM t_account_state WHERE f_admin = 1 AND f_disabled = 0 \
             ORDER BY f_user_id{}",
            T::FOR_UPDATE
        );
        let others = tx.select(&sql, Vec::new()).await?;
        let mut is_last = true;
        for row in &others {
            is_last &= row.user(0)? == user;
        }
        if is_last {
            return refused(Refusal::LastAdmin);
        }
    }
    make_row(tx, user).await?;
    let sql = "UPDATE t_account_state SET f_admin = ? WHERE f_user_id = ?";
    tx.execute(sql, vec![is_admin.into(), user.into()]).await?;
    Ok(Outcome::done())
}

/// Whether there is this user. Locks him.
async fn is_user<T: Tx>(tx: &mut T, user: UserId) -> Result<bool, T::Fault> {
    Ok(user.0 < GROUP_ID_FIRST && tx.lock(&[user.0]).await?.contains(&user.0))
}

async fn make_row<T: Tx>(tx: &mut T, user: UserId) -> Result<(), T::Fault> {
    let sql = format!(
        "{} INTO t_account_state (f_user_id) VALUES (?)",
        T::INSERT_IGNORE
    );
    tx.execute(&sql, vec![user.into()]).await?;
    Ok(())
}

const STATE: &str = "SELECT f_admin, f_disabled FROM t_account_state WHERE f_user_id = ?";

/// As [`state`], inside a transaction.
pub(super) async fn state_now<T: Tx>(tx: &mut T, user: UserId) -> Result<AccountState, T::Fault> {
    let rows = tx.select(STATE, vec![user.into()]).await?;
    let state = rows.first().map(|row| state_in(row, 0)).transpose()?;
    Ok(state.unwrap_or_default())
}

/// What was decided about this account; nothing, as about most.
///
/// # Errors
/// When the database cannot be asked.
pub async fn state(store: &dyn Store, user: UserId) -> Result<AccountState, StoreError> {
    let rows = store.select(STATE, vec![user.into()]).await?;
    let state = rows.first().map(|row| state_in(row, 0)).transpose()?;
    Ok(state.unwrap_or_default())
}

/// Whether nobody gets into this account: it is locked, or it is a bot and its owner is.
///
/// # Errors
/// When the database cannot be asked.
pub async fn is_disabled(store: &dyn Store, user: UserId) -> Result<bool, StoreError> {
    Ok(!disabled_among(store, &[user]).await?.is_empty())
}

/// Those of these accounts into which nobody gets, see [`is_disabled`].
///
/// # Errors
/// When the database cannot be asked.
pub async fn disabled_among(
    store: &dyn Store,
    users: &[UserId],
) -> Result<Vec<UserId>, StoreError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let marks = marks(users.len());
    let sql = format!(
        "SELECT s.f_user_id FROM t_account_state s \
         WHERE s.f_disabled > 0 AND s.f_user_id IN {marks} \
         UNION SELECT b.f_user_id FROM t_bot b \
         JOIN t_account_state s ON s.f_user_id = b.f_owner_id \
         WHERE s.f_disabled > 0 AND b.f_user_id IN {marks}"
    );
    let values = users.iter().chain(users).copied().map(Value::from);
    let rows = store.select(&sql, values.collect()).await?;
    rows.iter().map(|row| row.user(0)).collect()
}

fn state_in(row: &Row, first: usize) -> Result<AccountState, StoreError> {
    let disabled = row.millis(first + 1)?;
    Ok(AccountState {
        is_admin: row.flag(first)?,
        disabled: (disabled.0 != 0).then_some(disabled),
    })
}

/// Accounts in the order of their numbers.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(store: &dyn Store, sought: &Sought) -> Result<Vec<ListedAccount>, StoreError> {
    let mut sql = "SELECT u.f_user_id, u.f_username, u.f_nickname, COALESCE(s.f_admin, 0), \
         COALESCE(s.f_disabled, 0), COALESCE(u.f_last_seen, 0), b.f_user_id, \
         COALESCE((SELECT MAX(x.f_seen) FROM t_session x WHERE x.f_user_id = u.f_user_id), 0), \
         COALESCE((SELECT MAX(d.f_registered) FROM t_device d WHERE d.f_user_id = u.f_user_id), 0) \
         FROM t_user u \
         LEFT JOIN t_account_state s ON s.f_user_id = u.f_user_id \
         LEFT JOIN t_bot b ON b.f_user_id = u.f_user_id \
         WHERE u.f_user_id > ? AND u.f_user_id < ?"
        .to_owned();
    // The number between users and groups is nobody's.
    let mut values: Vec<Value> = vec![sought.after.into(), (GROUP_ID_FIRST - 1).into()];
    match sought.only {
        Only::All => {}
        Only::Disabled => sql.push_str(" AND s.f_disabled > 0"),
        Only::Admins => sql.push_str(" AND s.f_admin = 1"),
    }
    if let Some(username) = &sought.username {
        sql.push_str(
            " AND u.f_user_id IN (SELECT n.f_user_id FROM t_username n WHERE n.f_username = ?)",
        );
        values.push(username.as_str().into());
    }
    let text = sought.text.trim();
    if !text.is_empty() {
        let (condition, wanted) = people::has_in_name(text);
        sql.push_str(&format!(" AND (u.f_user_id = ? OR {condition})"));
        values.push(UserId::from_decimal(text).map_or(Value::Int(0), Value::from));
        values.extend(wanted);
    }
    sql.push_str(" ORDER BY u.f_user_id LIMIT ?");
    values.push(sought.limit.into());
    let rows = store.select(&sql, values).await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &Row) -> Result<ListedAccount, StoreError> {
    // Who only ever makes single calls never was on line, and sessions are gone once they ended.
    let last_seen = row.millis(5)?.max(row.millis(7)?).max(row.millis(8)?);
    Ok(ListedAccount {
        id: row.user(0)?,
        username: row.text(1)?,
        nickname: row.text(2)?,
        state: state_in(row, 3)?,
        last_seen: (last_seen.0 != 0).then_some(last_seen),
        is_bot: row.maybe_int(6)?.is_some(),
    })
}

/// One account; `None` if there is no such user.
///
/// # Errors
/// When the database cannot be asked.
pub async fn get(store: &dyn Store, user: UserId) -> Result<Option<ListedAccount>, StoreError> {
    let Some(before) = user.0.checked_sub(1) else {
        return Ok(None);
    };
    let next = Sought {
        after: UserId(before),
        limit: 1,
        ..Sought::default()
    };
    let found = list(store, &next).await?;
    Ok(found.into_iter().find(|account| account.id == user))
}
