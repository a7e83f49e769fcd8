//! Reacting to a message, and taking a reaction back.

use super::target::{done, find};
use crate::api::{Notice, Origin, Refusal};
use crate::id::{ConvId, Seq};
use crate::store::shared::tx::refused;
use crate::store::shared::{Tx, Value};
use crate::store::{Guard, Outcome};

/// A reaction, as it was asked for.
pub(super) struct React<'a> {
    pub(super) place: (ConvId, Seq),
    pub(super) emoji: &'a str,
    pub(super) added: bool,
    /// The most different ones on one message.
    pub(super) limit: u32,
    pub(super) guard: Guard,
}

impl React<'_> {
    /// The message and the emoji.
    fn key(&self) -> Vec<Value> {
        let (conv, seq) = self.place;
        vec![conv.into(), seq.into(), self.emoji.into()]
    }
}

pub(super) async fn react<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    react: &React<'_>,
) -> Result<Outcome, T::Fault> {
    let user = origin.user;
    let notice = Notice::ReactionChanged {
        seq: react.place.1,
        emoji: react.emoji.to_owned(),
        added: react.added,
    };
    let target = match find(tx, origin, react.place, &notice).await? {
        Ok(target) => target,
        Err(outcome) => return Ok(outcome),
    };
    let against = tx.check_guard(user, react.place.0, react.guard, origin.at);
    if let Some(refusal) = against.await? {
        return refused(refusal);
    }
    let mut own = react.key();
    own.push(user.into());
    let sql = "SELECT 1 FROM t_reaction \
         WHERE f_conv = ? AND f_seq = ? AND f_emoji = ? AND f_user_id = ?";
    let is_there = !tx.select(sql, own.clone()).await?.is_empty();
    if is_there == react.added {
        return Ok(Outcome::done());
    }
    if react.added && others(tx, react).await? >= react.limit.into() {
        return refused(Refusal::TooMany);
    }
    let entry = target.tell(tx, origin, notice).await?;
    if react.added {
        let sql = "INSERT INTO t_reaction (f_conv, f_seq, f_emoji, f_user_id, f_time) \
             VALUES (?, ?, ?, ?, ?)";
        own.push(entry.origin.at.into());
        tx.execute(sql, own).await?;
    } else {
        let sql = "DELETE FROM t_reaction \
             WHERE f_conv = ? AND f_seq = ? AND f_emoji = ? AND f_user_id = ?";
        tx.execute(sql, own).await?;
    }
    Ok(done(entry))
}

/// How many other emoji the message has: with this one among them, there is room for it anyway.
async fn others<T: Tx>(tx: &mut T, react: &React<'_>) -> Result<u64, T::Fault> {
    let sql = "SELECT COUNT(DISTINCT f_emoji) FROM t_reaction \
         WHERE f_conv = ? AND f_seq = ? AND f_emoji <> ?";
    let rows = tx.select(sql, react.key()).await?;
    let count = rows.first().map(|row| row.unsigned(0)).transpose()?;
    Ok(count.unwrap_or(0))
}
