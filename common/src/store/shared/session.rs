//! Sign-ins of the API, and the devices they belong to.

use super::tx::refused;
use super::value::marks;
use super::{Row, Tx, Value, admin};
use crate::api::Refusal;
use crate::id::{DeviceId, Millis, NAMELESS_DEVICE_FIRST, SessionId, UserId};
use crate::store::{Outcome, Store, StoreError};

/// How many sessions a user has at the most: more than anybody has devices.
pub const SESSIONS_MAX: u32 = 100;

/// A write about sign-ins. The device of a session that ends is forgotten with it if it was nameless:
/// nobody can come back on it.
#[derive(Clone, Debug)]
pub enum SessionChange {
    /// Signs a device in. What the device was signed in as before ends; what is expired is forgotten;
    /// of more than [`SESSIONS_MAX`] those end that were not used for the longest time.
    /// Refused: `NoSuchUser`, `PasswordChanged` if the stored hash is not `password_hash` any more,
    /// `AccountDisabled`.
    Open {
        sign_in: SignIn,
        /// What the password was checked against.
        password_hash: String,
    },
    /// Refused: `NoSuchSession` (also for somebody else's).
    End { user: UserId, session: SessionId },
    /// Replaces the hash, forgets a plain-text password and ends all of the user's sessions but one.
    /// Refused: `NoSuchUser`, `PasswordChanged` if the stored hash is not `old_hash` any more.
    NewPassword {
        user: UserId,
        /// What the old password was checked against.
        old_hash: String,
        new_hash: String,
        but: Option<SessionId>,
    },
    /// The session was used. Never refused.
    Seen { session: SessionId, at: Millis },
    /// The user was on line. Never refused.
    LastSeen { user: UserId, at: Millis },
}

/// A sign-in of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    pub session: SessionId,
    pub user: UserId,
    pub device: DeviceId,
    /// What kind of program it is, as the API names it.
    pub kind: String,
    /// What the owner calls the device; empty for nothing.
    pub name: String,
    pub created: Millis,
    /// When the session was last used.
    pub seen: Millis,
    pub expires: Millis,
}

const COLUMNS: &str = "s.f_session, s.f_user_id, s.f_device, d.f_kind, d.f_name, s.f_created, \
     s.f_seen, s.f_expires FROM t_session s JOIN t_device d \
     ON d.f_user_id = s.f_user_id AND d.f_device = s.f_device";

pub(super) async fn apply<T: Tx>(tx: &mut T, change: &SessionChange) -> Result<Outcome, T::Fault> {
    match change {
        SessionChange::Open {
            sign_in,
            password_hash,
        } => open(tx, sign_in, password_hash).await,
        SessionChange::End { user, session } => {
            tx.lock(&[user.0]).await?;
            #[cfg(feature = "planted")]
            if crate::config::planted::has("token-not-revoked") {
                return Ok(Outcome::done());
            }
            let ended = end(tx, *user, "f_session = ?", vec![(*session).into()]).await?;
            if ended == 0 {
                return refused(Refusal::NoSuchSession);
            }
            Ok(Outcome::done())
        }
        SessionChange::NewPassword {
            user,
            old_hash,
            new_hash,
            but,
        } => new_password(tx, *user, (old_hash, new_hash), *but).await,
        SessionChange::Seen { session, at } => {
            let sql = "UPDATE t_session SET f_seen = ? WHERE f_session = ? AND f_seen < ?";
            let values = vec![(*at).into(), (*session).into(), (*at).into()];
            tx.execute(sql, values).await?;
            Ok(Outcome::done())
        }
        SessionChange::LastSeen { user, at } => {
            let sql = "UPDATE t_user SET f_last_seen = ? WHERE f_user_id = ? AND f_last_seen < ?";
            let values = vec![(*at).into(), (*user).into(), (*at).into()];
            tx.execute(sql, values).await?;
            Ok(Outcome::done())
        }
    }
}

/// The stored hash of a password; `None` if there is no such user. Locks the user.
async fn stored_hash<T: Tx>(tx: &mut T, user: UserId) -> Result<Option<String>, T::Fault> {
    if tx.lock(&[user.0]).await?.is_empty() {
        return Ok(None);
    }
    let sql = "SELECT COALESCE(f_password_hash, '') FROM t_user WHERE f_user_id = ?";
    let rows = tx.select(sql, vec![user.into()]).await?;
    Ok(rows.first().map(|row| row.text(0)).transpose()?)
}

async fn new_password<T: Tx>(
    tx: &mut T,
    user: UserId,
    (old_hash, new_hash): (&str, &str),
    but: Option<SessionId>,
) -> Result<Outcome, T::Fault> {
    match stored_hash(tx, user).await? {
        None => return refused(Refusal::NoSuchUser),
        // The new one is there already when a change is repeated whose answer was lost.
        Some(hash) if hash != old_hash && hash != new_hash => {
            return refused(Refusal::PasswordChanged);
        }
        Some(_) => {}
    }
    let sql = "UPDATE t_user SET f_password = '', f_password_hash = ? WHERE f_user_id = ?";
    tx.execute(sql, vec![new_hash.into(), user.into()]).await?;
    #[cfg(feature = "planted")]
    if crate::config::planted::has("old-tokens-with-new-password") {
        return Ok(Outcome::done());
    }
    let kept = but.map_or(Value::Int(-1), Value::from);
    end(tx, user, "f_session <> ?", vec![kept]).await?;
    Ok(Outcome::done())
}

/// Ends all sessions of a user.
pub(super) async fn end_every<T: Tx>(tx: &mut T, user: UserId) -> Result<(), T::Fault> {
    end(tx, user, "1 = 1", Vec::new()).await.map(drop)
}

/// Ends those of a user's sessions for which the condition holds, and forgets their devices if they
/// were nameless. Answers how many ended.
pub(super) async fn end<T: Tx>(
    tx: &mut T,
    user: UserId,
    condition: &str,
    values: Vec<Value>,
) -> Result<usize, T::Fault> {
    let sql =
        format!("SELECT f_session, f_device FROM t_session WHERE f_user_id = ? AND ({condition})");
    let values = [vec![user.into()], values].concat();
    let ended = tx.select(&sql, values).await?;
    end_all(tx, user, &ended).await?;
    Ok(ended.len())
}

/// As [`end`], for rows of session and device.
async fn end_all<T: Tx>(tx: &mut T, user: UserId, ended: &[Row]) -> Result<(), T::Fault> {
    let mut sessions = Vec::with_capacity(ended.len());
    let mut nameless = Vec::new();
    for row in ended {
        sessions.push(Value::from(row.session(0)?));
        let device = row.device(1)?;
        if device.0 >= NAMELESS_DEVICE_FIRST {
            nameless.push(device);
        }
    }
    if !sessions.is_empty() {
        let marks = marks(sessions.len());
        let sql = format!("DELETE FROM t_session WHERE f_session IN {marks}");
        tx.execute(&sql, sessions).await?;
    }
    forget_devices(tx, user, &nameless).await
}

/// Forgets devices, and how far they got.
pub(super) async fn forget_devices<T: Tx>(
    tx: &mut T,
    user: UserId,
    devices: &[DeviceId],
) -> Result<(), T::Fault> {
    if devices.is_empty() {
        return Ok(());
    }
    let marks = marks(devices.len());
    let mut values = vec![Value::from(user)];
    values.extend(devices.iter().copied().map(Value::from));
    for table in ["t_cursor", "t_device"] {
        let sql = format!("DELETE FROM {table} WHERE f_user_id = ? AND f_device IN {marks}");
        tx.execute(&sql, values.clone()).await?;
    }
    Ok(())
}

async fn open<T: Tx>(
    tx: &mut T,
    sign_in: &SignIn,
    password_hash: &str,
) -> Result<Outcome, T::Fault> {
    let (user, device) = (sign_in.user, sign_in.device);
    match stored_hash(tx, user).await? {
        None => return refused(Refusal::NoSuchUser),
        Some(hash) if hash != password_hash => return refused(Refusal::PasswordChanged),
        Some(_) => {}
    }
    if admin::state_now(tx, user).await?.disabled.is_some() {
        return refused(Refusal::AccountDisabled);
    }
    // Also those that nobody can use any more: nobody else takes them away.
    let over = vec![device.into(), sign_in.created.into()];
    end(tx, user, "f_device = ? OR f_expires <= ?", over).await?;
    let sql = "SELECT f_session, f_device FROM t_session WHERE f_user_id = ? \
         ORDER BY f_seen DESC, f_created DESC, f_session LIMIT ? OFFSET ?";
    let values = vec![user.into(), SESSIONS_MAX.into(), (SESSIONS_MAX - 1).into()];
    let too_many = tx.select(sql, values).await?;
    end_all(tx, user, &too_many).await?;
    insert(tx, sign_in).await?;
    Ok(Outcome::done())
}

/// Writes a session, and makes its device known.
pub(super) async fn insert<T: Tx>(tx: &mut T, sign_in: &SignIn) -> Result<(), T::Fault> {
    let (user, device) = (sign_in.user, sign_in.device);
    let sql = format!(
        "{} INTO t_device (f_user_id, f_device, f_registered) VALUES (?, ?, ?)",
        T::INSERT_IGNORE
    );
    tx.execute(
        &sql,
        vec![user.into(), device.into(), sign_in.created.into()],
    )
    .await?;
    let sql = "UPDATE t_device SET f_kind = ?, f_name = ? WHERE f_user_id = ? AND f_device = ?";
    let names = (sign_in.kind.as_str(), sign_in.name.as_str());
    let values = vec![names.0.into(), names.1.into(), user.into(), device.into()];
    tx.execute(sql, values).await?;
    let sql = "INSERT INTO t_session (f_session, f_user_id, f_device, f_created, f_seen, f_expires) \
         VALUES (?, ?, ?, ?, ?, ?)";
    let values = vec![
        sign_in.session.into(),
        user.into(),
        device.into(),
        sign_in.created.into(),
        sign_in.seen.into(),
        sign_in.expires.into(),
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// A session, if it has not ended. Whether its time is over is the caller's question.
///
/// # Errors
/// When the database cannot be asked.
pub async fn get(store: &dyn Store, session: SessionId) -> Result<Option<SignIn>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE s.f_session = ?");
    let rows = store.select(&sql, vec![session.into()]).await?;
    rows.first().map(sign_in).transpose()
}

/// A user's sessions, last used first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of_user(store: &dyn Store, user: UserId) -> Result<Vec<SignIn>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE s.f_user_id = ? ORDER BY s.f_seen DESC, s.f_session");
    let rows = store.select(&sql, vec![user.into()]).await?;
    rows.iter().map(sign_in).collect()
}

/// Sessions of all users, in the order of their numbers, behind `after`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(
    store: &dyn Store,
    after: SessionId,
    limit: u32,
) -> Result<Vec<SignIn>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE s.f_session > ? ORDER BY s.f_session LIMIT ?");
    let rows = store.select(&sql, vec![after.into(), limit.into()]).await?;
    rows.iter().map(sign_in).collect()
}

/// Those of these sessions that have not ended.
///
/// # Errors
/// When the database cannot be asked.
pub async fn going_on(
    store: &dyn Store,
    sessions: &[SessionId],
) -> Result<Vec<SessionId>, StoreError> {
    if sessions.is_empty() {
        return Ok(Vec::new());
    }
    let marks = marks(sessions.len());
    let sql = format!("SELECT f_session FROM t_session WHERE f_session IN {marks}");
    let values = sessions.iter().copied().map(Value::from).collect();
    let rows = store.select(&sql, values).await?;
    rows.iter().map(|row| row.session(0)).collect()
}

fn sign_in(row: &Row) -> Result<SignIn, StoreError> {
    Ok(SignIn {
        session: row.session(0)?,
        user: row.user(1)?,
        device: row.device(2)?,
        kind: row.text(3)?,
        name: row.text(4)?,
        created: row.millis(5)?,
        seen: row.millis(6)?,
        expires: row.millis(7)?,
    })
}
