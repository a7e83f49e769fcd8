//! The book of what administrators did. It is written in the transaction that does it, see
//! [`crate::store::Change::Audited`], and never changed.

use super::{Row, Tx, admin};
use crate::api::Refusal;
use crate::id::{Millis, UserId};
use crate::store::{Outcome, Store, StoreError};

/// Who runs the machine, and is no account.
pub const OPERATOR: UserId = UserId(0);

/// What is to be written down. Never a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub at: Millis,
    /// Who did it; [`OPERATOR`] for who runs the machine.
    pub actor: UserId,
    /// What he was called then.
    pub by: String,
    pub action: &'static str,
    /// What was changed, as `user:7`. If nothing stands behind the colon, the number that the
    /// change made is put there.
    pub target: String,
    pub detail: String,
}

/// A line of the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub id: u64,
    pub at: Millis,
    pub actor: UserId,
    pub by: String,
    pub action: String,
    pub target: String,
    pub detail: String,
}

/// What stands against an action of this actor; nothing if he may act.
pub(in crate::store) async fn check<T: Tx>(
    tx: &mut T,
    record: &Record,
) -> Result<Option<Refusal>, T::Fault> {
    if record.actor == OPERATOR {
        return Ok(None);
    }
    let state = admin::state_now(tx, record.actor).await?;
    let may = state.is_admin && state.disabled.is_none();
    Ok((!may).then_some(Refusal::NotAnAdmin))
}

/// Writes down what became of an action. A repeated one is in the book already.
pub(in crate::store) async fn note<T: Tx>(
    tx: &mut T,
    record: &Record,
    outcome: &Outcome,
) -> Result<(), T::Fault> {
    let mut target = record.target.clone();
    let mut detail = record.detail.clone();
    match outcome {
        Outcome::AlreadyThere { .. } => return Ok(()),
        Outcome::Done { id: Some(id), .. } if target.ends_with(':') => {
            target.push_str(&id.to_string());
        }
        Outcome::Done { .. } => {}
        Outcome::Refused(refusal) => {
            if !detail.is_empty() {
                detail.push_str("; ");
            }
            detail.push_str(&format!("refused: {refusal}"));
        }
    }
    let sql = "INSERT INTO t_audit (f_time, f_actor, f_by, f_action, f_target, f_detail) \
         VALUES (?, ?, ?, ?, ?, ?)";
    let values = vec![
        record.at.into(),
        record.actor.into(),
        record.by.as_str().into(),
        record.action.into(),
        target.into(),
        detail.into(),
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// The newest lines of the book, before the line `before` if that is given.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(
    store: &dyn Store,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<Line>, StoreError> {
    let sql = "SELECT f_id, f_time, f_actor, f_by, f_action, f_target, f_detail FROM t_audit \
         WHERE f_id < ? ORDER BY f_id DESC LIMIT ?";
    let before = before.and_then(|id| i64::try_from(id).ok());
    let values = vec![before.unwrap_or(i64::MAX).into(), limit.into()];
    let rows = store.select(sql, values).await?;
    rows.iter().map(line).collect()
}

fn line(row: &Row) -> Result<Line, StoreError> {
    Ok(Line {
        id: row.unsigned(0)?,
        at: row.millis(1)?,
        actor: row.user(2)?,
        by: row.text(3)?,
        action: row.text(4)?,
        target: row.text(5)?,
        detail: row.text(6)?,
    })
}
