//! Gives a message other segments.

use common::api::Segment;
use common::id::{ConvId, Seq};
use common::store::Change;
use common::store::message::MessageChange;

use super::conversation::as_not_yours;
use super::may_read::check;
use super::recall::not_before;
use super::send::guard;
use super::send_segments::acceptable;
use super::{Failure, done};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// # Errors
/// As sending a message; `NoSuchMessage`, `NotTheAuthor`, `TooLate`, `AlreadyRecalled`.
pub async fn edit(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    seq: Seq,
    segments: Vec<Segment>,
    mark: Mark,
) -> Result<(), Failure> {
    check(actor.user, conv)?;
    let segments = acceptable(app, actor, segments).await?;
    let origin = app.origin(actor, mark);
    let change = MessageChange::Edit {
        not_before: not_before(origin.at, app.config.edit_within_s),
        origin,
        conv,
        seq,
        segments,
        guard: guard(app, actor.user, conv),
    };
    let edited = done(&app.log.commit(Change::Message(change)).await?);
    edited.map_err(|failure| as_not_yours(failure, conv))?;
    Ok(())
}
