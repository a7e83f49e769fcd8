//! Shows one message of a conversation.

use common::api::{Entry, Refusal};
use common::id::{ConvId, Seq, UserId};
use common::store::message;

use super::Failure;
use super::may_read::may_read;
use crate::actor::Actor;
use crate::app::App;
use crate::content;

/// The message or notice at this place.
///
/// # Errors
/// `NotAMember`, `NoSuchConversation`, `NoSuchMessage`; the store's.
pub async fn message_at(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    seq: Seq,
) -> Result<Entry, Failure> {
    let entry = entry_at(app, actor.user, conv, seq).await?;
    if content::target(&entry).is_some() {
        return Err(Refusal::NoSuchMessage.into());
    }
    Ok(entry)
}

/// The chat message at this place: what one can answer, forward and count the readers of.
///
/// # Errors
/// As [`message_at`].
pub(super) async fn chat_message_at(
    app: &App,
    user: UserId,
    conv: ConvId,
    seq: Seq,
) -> Result<Entry, Failure> {
    let entry = entry_at(app, user, conv, seq).await?;
    if !content::is_message(&entry) {
        return Err(Refusal::NoSuchMessage.into());
    }
    Ok(entry)
}

async fn entry_at(app: &App, user: UserId, conv: ConvId, seq: Seq) -> Result<Entry, Failure> {
    let place = may_read(app, user, conv).await?;
    if seq <= place.since || seq > place.head {
        return Err(Refusal::NoSuchMessage.into());
    }
    let mut found = message::at(&*app.store, &[(conv, seq)]).await?;
    found.pop().ok_or_else(|| Refusal::NoSuchMessage.into())
}
