//! Taking a message back.

use super::target::{Target, done, find};
use crate::api::{Notice, Origin, Refusal, Role};
use crate::id::{ConvId, ConvKind, Millis, Seq};
use crate::store::Outcome;
use crate::store::shared::file::{Reference, unrefer};
use crate::store::shared::tx::refused;
use crate::store::shared::{Tx, Value, group};

pub(super) async fn recall<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    place: (ConvId, Seq),
    not_before: Millis,
) -> Result<Outcome, T::Fault> {
    let notice = Notice::MessageRecalled { seq: place.1 };
    let target = match find(tx, origin, place, &notice).await? {
        Ok(target) => target,
        Err(outcome) => return Ok(outcome),
    };
    if let Some(refusal) = target.not_his(origin.user, not_before)
        && (refusal != Refusal::NotTheAuthor || !is_above(tx, origin, &target).await?)
    {
        return refused(refusal);
    }
    let entry = target.tell(tx, origin, notice).await?;
    target
        .keep(tx, entry.origin.at, target.edited, Value::Null)
        .await?;
    let sql = "DELETE FROM t_reaction WHERE f_conv = ? AND f_seq = ?";
    tx.execute(sql, vec![place.0.into(), place.1.into()])
        .await?;
    let by = Reference::Message(place.0, place.1);
    unrefer(tx, by, entry.origin.at).await?;
    Ok(done(entry))
}

/// Whether the user is owner or admin of the group and the author of lower role. An author who
/// left is a member like any other.
async fn is_above<T: Tx>(tx: &mut T, origin: &Origin, target: &Target) -> Result<bool, T::Fault> {
    let Some(ConvKind::Group(group)) = target.entry.conv.kind() else {
        return Ok(false);
    };
    // A role changes only together with an entry in the group, whose log is locked.
    let own = group::role(tx, group, origin.user).await?;
    let author = group::role(tx, group, target.entry.origin.user).await?;
    Ok(own >= Some(Role::Admin) && own > author.max(Some(Role::Member)))
}
