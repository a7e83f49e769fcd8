//! Takes a message back.

use common::id::{ConvId, Millis, Seq};
use common::store::Change;
use common::store::message::MessageChange;

use super::conversation::as_not_yours;
use super::may_read::check;
use super::{Failure, done};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// Its author may for some time; those who look after a group may always.
///
/// # Errors
/// `NotAMember`, `NoSuchConversation`, `NoSuchMessage`, `NotTheAuthor`, `TooLate`,
/// `AlreadyRecalled`; the store's.
pub async fn recall(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    seq: Seq,
    mark: Mark,
) -> Result<(), Failure> {
    check(actor.user, conv)?;
    let origin = app.origin(actor, mark);
    let change = MessageChange::Recall {
        not_before: not_before(origin.at, app.config.recall_within_s),
        origin,
        conv,
        seq,
    };
    let recalled = done(&app.log.commit(Change::Message(change)).await?);
    recalled.map_err(|failure| as_not_yours(failure, conv))?;
    Ok(())
}

/// When a message must have been written so that its author may still change it; 0 seconds are
/// "never".
pub(super) fn not_before(now: Millis, within_s: u64) -> Millis {
    let within_ms = i64::try_from(within_s).map_or(i64::MAX, |s| s.saturating_mul(1_000));
    match within_ms {
        0 => Millis(i64::MAX),
        within_ms => Millis(now.0.saturating_sub(within_ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_at_all_is_never() {
        assert_eq!(not_before(Millis(500_000), 120), Millis(380_000));
        assert_eq!(not_before(Millis(500_000), 0), Millis(i64::MAX));
        assert!(not_before(Millis(500_000), u64::MAX).0 < 0);
    }
}
