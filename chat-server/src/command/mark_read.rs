//! Says how far one has read, and asks who has.

use std::sync::Arc;

use common::api::Refusal;
use common::id::{ConvId, ConvKind, Seq, UserId};
use common::store::{Change, group, place, place::PlaceChange, read_mark};

use super::conversation::as_not_yours;
use super::may_read::check;
use super::message_at::chat_message_at;
use super::{Failure, done, uncancelled};
use crate::actor::Actor;
use crate::app::App;
use crate::presence;

/// How many of a message's readers are named; the count counts all.
const READERS_NAMED_MAX: u32 = 100;

/// The user has read up to here. Moving back, or past the end, changes nothing wrong: the mark
/// stays where it is or goes to the end.
///
/// # Errors
/// `NotAMember`, `NoSuchConversation`; the store's.
pub async fn mark_read(
    app: &Arc<App>,
    actor: &Actor,
    conv: ConvId,
    seq: Seq,
) -> Result<(), Failure> {
    check(actor.user, conv)?;
    let change = PlaceChange::Read {
        user: actor.user,
        conv,
        seq,
    };
    let actor = actor.clone();
    uncancelled(app, |app| async move {
        let read = done(&app.log.commit(Change::Place(change)).await?);
        read.map_err(|failure| as_not_yours(failure, conv))?;
        // What the mark is now: the client may have named a place that is not there yet.
        let marks = read_mark::of(&*app.store, &[(actor.user, conv)]).await?;
        if let Some((_, _, read)) = marks.first() {
            presence::announce_read(&app, &actor, conv, *read);
        }
        Ok(())
    })
    .await
}

/// Who has read a message, besides who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readers {
    pub count: u32,
    /// The first of them by number.
    pub users: Vec<UserId>,
}

/// # Errors
/// `NotAMember`, `NoSuchConversation`, `NoSuchMessage`; `TooMany` in groups so large that nobody
/// counts; the store's.
pub async fn readers(app: &App, actor: &Actor, conv: ConvId, seq: Seq) -> Result<Readers, Failure> {
    let message = chat_message_at(app, actor.user, conv, seq).await?;
    if let Some(ConvKind::Group(group)) = conv.kind() {
        let sizes = group::sizes(&*app.store, &[group]).await?;
        let is_huge = |(_, members): &(_, u32)| *members >= app.config.heads_only_members_min;
        if sizes.iter().any(is_huge) {
            return Err(Refusal::TooMany.into());
        }
    }
    let author = message.origin.user;
    let (count, users) = place::readers(&*app.store, conv, seq, author, READERS_NAMED_MAX).await?;
    Ok(Readers { count, users })
}
