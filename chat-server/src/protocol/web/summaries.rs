//! What conversations look like, for a client that gets only their newest entries.

use std::collections::HashMap;

use common::id::{ConvId, Millis};

use super::close_reason::CloseReason;
use super::shape::conversation::{Conversation, present};
use super::shape::event;
use super::socket::Socket;
use crate::actor::Actor;
use crate::app::App;
use crate::command::{self, Failure};
use crate::walker::Skipped;

/// Says of each conversation that does not come whole what it looks like, the newest activity
/// first: a screen can be drawn before any of its messages is there.
///
/// # Errors
/// Why the connection ends.
pub(super) async fn announce(
    app: &App,
    actor: &Actor,
    skipped: Vec<Skipped>,
    socket: &mut Socket,
) -> Result<(), CloseReason> {
    let mut left: HashMap<_, _> = skipped.into_iter().map(|one| (one.conv, one)).collect();
    let mut page = Some(None);
    while let Some(after) = page.filter(|_| !left.is_empty()) {
        let read = read(app, actor, &left, after).await;
        let (summaries, next) = read.map_err(|error| {
            tracing::warn!(%error, "conversations could not be read");
            CloseReason::Unavailable
        })?;
        for summary in &summaries {
            if let Some(skipped) = left.remove(&summary.id.0) {
                socket.feed(event::conversation(summary, &skipped)).await?;
            }
        }
        page = next.map(Some);
    }
    Ok(())
}

/// Some summaries, and where to go on.
type Page = (Vec<Conversation>, Option<(Millis, ConvId)>);

async fn read(
    app: &App,
    actor: &Actor,
    wanted: &HashMap<ConvId, Skipped>,
    after: Option<(Millis, ConvId)>,
) -> Result<Page, Failure> {
    let is_wanted = |conv| wanted.contains_key(&conv);
    let (found, next) = command::some_conversations(app, actor, is_wanted, after).await?;
    Ok((present(app, found).await?, next))
}

/// The event for one conversation.
///
/// # Errors
/// `NotAMember`, `NoSuchConversation`; the store's.
pub(super) async fn of_one(
    app: &App,
    actor: &Actor,
    skipped: &Skipped,
) -> Result<Option<String>, Failure> {
    let found = command::conversation(app, actor, skipped.conv).await?;
    let summaries = present(app, vec![found]).await?;
    let event = |summary| event::conversation(summary, skipped);
    Ok(summaries.first().map(event))
}
