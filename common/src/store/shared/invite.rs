//! Codes that let somebody make an account.

use super::tx::refused;
use super::{Row, Tx};
use crate::api::Refusal;
use crate::id::{Millis, UserId};
use crate::store::{Outcome, Store, StoreError};

/// How many invites there are at the most; they are listed in one piece.
pub const INVITES_MAX: u32 = 1000;

/// A write about invites.
#[derive(Clone, Debug)]
pub enum InviteChange {
    /// Refused: `TooMany`.
    Make(Invite),
    /// Nobody can use it any more. Refused: `NoSuchInvite`.
    Revoke { code: String },
}

/// Who has the code may make an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    pub code: String,
    pub creator: UserId,
    pub created: Millis,
    /// It is worth nothing from this moment on.
    pub expires: Option<Millis>,
    /// How often it may be used.
    pub uses_max: Option<u32>,
    pub uses: u32,
    /// What it is for, for administrators.
    pub note: String,
}

impl Invite {
    /// Whether somebody may use it at this moment.
    pub fn is_good(&self, at: Millis) -> bool {
        self.expires.is_none_or(|expires| at < expires)
            && self.uses_max.is_none_or(|max| self.uses < max)
    }
}

/// The longest code that the column holds, in bytes.
const CODE_BYTES_MAX: usize = 64;

/// Whether a text can be a code at all. Others are not even looked for: MySQL compares no other
/// letters with a column that holds ASCII.
fn is_code(text: &str) -> bool {
    text.is_ascii() && (1..=CODE_BYTES_MAX).contains(&text.len())
}

const COLUMNS: &str = "SELECT f_code, f_creator, f_created, f_expires, f_uses_max, f_uses, f_note \
     FROM t_invite";

pub(super) async fn apply<T: Tx>(tx: &mut T, change: &InviteChange) -> Result<Outcome, T::Fault> {
    match change {
        InviteChange::Make(invite) => make(tx, invite).await,
        InviteChange::Revoke { code } if !is_code(code) => refused(Refusal::NoSuchInvite),
        InviteChange::Revoke { code } => {
            let sql = "DELETE FROM t_invite WHERE f_code = ?";
            match tx.execute(sql, vec![code.as_str().into()]).await? {
                0 => refused(Refusal::NoSuchInvite),
                _ => Ok(Outcome::done()),
            }
        }
    }
}

async fn make<T: Tx>(tx: &mut T, invite: &Invite) -> Result<Outcome, T::Fault> {
    let rows = tx
        .select("SELECT COUNT(*) FROM t_invite", Vec::new())
        .await?;
    let count = rows.first().map(|row| row.int(0)).transpose()?;
    if count.unwrap_or(0) >= i64::from(INVITES_MAX) {
        return refused(Refusal::TooMany);
    }
    let sql = "INSERT INTO t_invite \
         (f_code, f_creator, f_created, f_expires, f_uses_max, f_uses, f_note) \
         VALUES (?, ?, ?, ?, ?, 0, ?)";
    let values = vec![
        invite.code.as_str().into(),
        invite.creator.into(),
        invite.created.into(),
        invite.expires.unwrap_or(Millis(0)).into(),
        invite.uses_max.unwrap_or(0).into(),
        invite.note.as_str().into(),
    ];
    tx.execute(sql, values).await?;
    Ok(Outcome::done())
}

/// What stands against the use of an invite at this moment. Locks it, so that of two who have the
/// same code the second one finds it used.
pub(in crate::store) async fn check<T: Tx>(
    tx: &mut T,
    code: &str,
    at: Millis,
) -> Result<Option<Refusal>, T::Fault> {
    if !is_code(code) {
        return Ok(Some(Refusal::InviteInvalid));
    }
    let sql = format!("{COLUMNS} WHERE f_code = ?{}", T::FOR_UPDATE);
    let rows = tx.select(&sql, vec![code.into()]).await?;
    let found = rows.first().map(invite).transpose()?;
    let is_good = found.is_some_and(|invite| invite.is_good(at));
    Ok((!is_good).then_some(Refusal::InviteInvalid))
}

/// Counts a use of an invite.
pub(in crate::store) async fn count<T: Tx>(tx: &mut T, code: &str) -> Result<(), T::Fault> {
    let sql = "UPDATE t_invite SET f_uses = f_uses + 1 WHERE f_code = ?";
    tx.execute(sql, vec![code.into()]).await?;
    Ok(())
}

/// An invite; `None` if there is none of this code.
///
/// # Errors
/// When the database cannot be asked.
pub async fn get(store: &dyn Store, code: &str) -> Result<Option<Invite>, StoreError> {
    if !is_code(code) {
        return Ok(None);
    }
    let sql = format!("{COLUMNS} WHERE f_code = ?");
    let rows = store.select(&sql, vec![code.into()]).await?;
    rows.first().map(invite).transpose()
}

/// All invites, the newest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(store: &dyn Store) -> Result<Vec<Invite>, StoreError> {
    let sql = format!("{COLUMNS} ORDER BY f_created DESC, f_code");
    let rows = store.select(&sql, Vec::new()).await?;
    rows.iter().map(invite).collect()
}

fn invite(row: &Row) -> Result<Invite, StoreError> {
    let (expires, uses_max) = (row.millis(3)?, row.u32(4)?);
    Ok(Invite {
        code: row.text(0)?,
        creator: row.user(1)?,
        created: row.millis(2)?,
        expires: (expires.0 != 0).then_some(expires),
        uses_max: (uses_max != 0).then_some(uses_max),
        uses: row.u32(5)?,
        note: row.text(6)?,
    })
}
