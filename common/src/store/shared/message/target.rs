//! The message that a change is about, and what was changed about it before.

use crate::api::{Body, Dialect, Entry, Notice, Origin, Refusal, SegmentedContent};
use crate::id::{ConvId, ConvKind, Millis, Seq, UserId};
use crate::store::shared::entry_row::{ENTRY, entry};
use crate::store::shared::tx::applied;
use crate::store::shared::{Tx, Value};
use crate::store::{Outcome, StoreError};

/// A message that its reader may change, with the conversation locked.
pub(super) struct Target {
    pub(super) entry: Entry,
    /// When it was edited last; 0 for never.
    pub(super) edited: Millis,
}

/// Finds the message at `place` for the user of `origin`. An outcome instead, if the change that
/// appends `notice` was applied before, or there is no such message for him.
pub(super) async fn find<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    (conv, seq): (ConvId, Seq),
    notice: &Notice,
) -> Result<Result<Target, Outcome>, T::Fault> {
    let no = |refusal| Ok(Err(Outcome::Refused(refusal)));
    tx.head(conv).await?;
    if let Some(outcome) = applied(tx, conv, origin, notice).await? {
        return Ok(Err(outcome));
    }
    let Some(since) = since(tx, origin.user, conv).await? else {
        return no(match conv.kind() {
            Some(ConvKind::Group(_)) => Refusal::NotAMember,
            Some(ConvKind::Direct(..) | ConvKind::Inbox(_)) | None => Refusal::NoSuchConversation,
        });
    };
    let message = message(tx, conv, seq).await?;
    let Some(entry) = message.filter(|_message| seq > since) else {
        return no(Refusal::NoSuchMessage);
    };
    let sql = "SELECT f_recalled, f_edited FROM t_message_state WHERE f_conv = ? AND f_seq = ?";
    let rows = tx.select(sql, vec![conv.into(), seq.into()]).await?;
    let mut edited = Millis(0);
    if let Some(row) = rows.first() {
        if row.millis(0)? != Millis(0) {
            return no(Refusal::AlreadyRecalled);
        }
        edited = row.millis(1)?;
    }
    Ok(Ok(Target { entry, edited }))
}

/// Behind which place the user may read the conversation; `None` if it is not his.
async fn since<T: Tx>(tx: &mut T, user: UserId, conv: ConvId) -> Result<Option<Seq>, T::Fault> {
    let sql = "SELECT f_since FROM t_place WHERE f_user_id = ? AND f_conv = ?";
    let rows = tx.select(sql, vec![user.into(), conv.into()]).await?;
    Ok(rows.first().map(|row| row.seq(0)).transpose()?)
}

async fn message<T: Tx>(tx: &mut T, conv: ConvId, seq: Seq) -> Result<Option<Entry>, T::Fault> {
    let sql = format!("SELECT {ENTRY} FROM t_chatmsg WHERE f_conv = ? AND f_seq = ?");
    let rows = tx.select(&sql, vec![conv.into(), seq.into()]).await?;
    let found = rows.first().map(entry).transpose()?;
    Ok(found.filter(|entry| matches!(entry.body, Body::Message { .. })))
}

impl Target {
    /// Why this user cannot change the message as its author.
    pub(super) fn not_his(&self, user: UserId, not_before: Millis) -> Option<Refusal> {
        if self.entry.origin.user != user {
            return Some(Refusal::NotTheAuthor);
        }
        (self.entry.origin.at < not_before).then_some(Refusal::TooLate)
    }

    /// What its author had written, if that was of segments.
    pub(super) fn written(&self) -> Result<Option<SegmentedContent>, StoreError> {
        match &self.entry.body {
            Body::Message {
                dialect: Dialect::Segments,
                content: json,
            } => content(json).map(Some),
            Body::Message { .. } | Body::Notice(_) => Ok(None),
        }
    }

    /// Appends what happened to the message; answers with the entry.
    pub(super) async fn tell<T: Tx>(
        &self,
        tx: &mut T,
        origin: &Origin,
        notice: Notice,
    ) -> Result<Entry, T::Fault> {
        let notices = vec![(self.entry.conv, origin.clone(), notice)];
        let appended = tx.append(notices).await?.into_iter().next();
        Ok(appended.ok_or_else(|| StoreError::Broken("a notice has no entry".to_owned()))?)
    }

    /// Keeps what the message is from now on.
    pub(super) async fn keep<T: Tx>(
        &self,
        tx: &mut T,
        recalled: Millis,
        edited: Millis,
        content: Value,
    ) -> Result<(), T::Fault> {
        let sql = "REPLACE INTO t_message_state (f_conv, f_seq, f_recalled, f_edited, f_content) \
             VALUES (?, ?, ?, ?, ?)";
        let (conv, seq) = (self.entry.conv, self.entry.seq);
        let place = (conv.into(), seq.into());
        let values = vec![place.0, place.1, recalled.into(), edited.into(), content];
        tx.execute(sql, values).await?;
        Ok(())
    }
}

/// What is stored of a message of segments.
pub(super) fn content(json: &[u8]) -> Result<SegmentedContent, StoreError> {
    serde_json::from_slice(json)
        .map_err(|error| StoreError::Broken(format!("a message of segments: {error}")))
}

/// Done, with this entry.
pub(super) fn done(entry: Entry) -> Outcome {
    Outcome::Done {
        id: None,
        entries: vec![entry],
    }
}
