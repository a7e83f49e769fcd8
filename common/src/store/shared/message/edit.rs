//! Giving a message other segments.

use super::target::{done, find};
use crate::api::{Notice, Origin, Refusal, Segment, SegmentedContent, files_of};
use crate::id::{ConvId, Millis, Seq};
use crate::store::shared::Tx;
use crate::store::shared::file::{self, Reference};
use crate::store::shared::tx::refused;
use crate::store::{Guard, Outcome, StoreError};

/// An edit, as it was asked for.
pub(super) struct Edit<'a> {
    pub(super) place: (ConvId, Seq),
    pub(super) segments: &'a [Segment],
    pub(super) not_before: Millis,
    pub(super) guard: Guard,
}

pub(super) async fn edit<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    edit: &Edit<'_>,
) -> Result<Outcome, T::Fault> {
    let (conv, seq) = edit.place;
    let segments = edit.segments.to_vec();
    let notice = Notice::MessageEdited { seq, segments };
    let target = match find(tx, origin, edit.place, &notice).await? {
        Ok(target) => target,
        Err(outcome) => return Ok(outcome),
    };
    if let Some(refusal) = target.not_his(origin.user, edit.not_before) {
        return refused(refusal);
    }
    let against = tx.check_guard(origin.user, conv, edit.guard, origin.at);
    if let Some(refusal) = against.await? {
        return refused(refusal);
    }
    let files = files_of(edit.segments);
    if file::present(tx, &files).await?.len() < files.len() {
        return refused(Refusal::NoSuchFile);
    }
    // What the message answers, and where it came from, is not the editor's to change.
    let content = SegmentedContent {
        segments: edit.segments.to_vec(),
        ..target
            .written()?
            .unwrap_or_else(|| SegmentedContent::new(Vec::new()))
    };
    let json = serde_json::to_vec(&content)
        .map_err(|error| StoreError::Broken(format!("segments have no JSON: {error}")))?;
    let entry = target.tell(tx, origin, notice).await?;
    target
        .keep(tx, Millis(0), entry.origin.at, json.as_slice().into())
        .await?;
    let by = Reference::Message(conv, seq);
    file::unrefer(tx, by, entry.origin.at).await?;
    file::refer(tx, by, files).await?;
    Ok(done(entry))
}
