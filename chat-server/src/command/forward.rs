//! Passes a message on into another conversation.

use common::api::{Body, Dialect, Entry, ForwardedFrom, Refusal, SegmentedContent};
use common::id::{ConvId, Millis, Peer, Seq};
use common::store::message;

use super::Failure;
use super::may_read::check;
use super::message_at::chat_message_at;
use super::send::{Sent, Writer};
use super::send_segments::hand_in;
use crate::actor::{Actor, Mark};
use crate::app::App;
use crate::content;

/// The message that is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    pub conv: ConvId,
    pub seq: Seq,
}

/// Passes a message on as it is now, and waits until it is durable. It says who had written it
/// first; what it answered stays behind.
///
/// # Errors
/// `NoSuchConversation`, `NotAMember` (either one), `NoSuchMessage`, `AlreadyRecalled`,
/// `ClientIdConflict`, and what a message is refused for; the store's.
pub async fn forward(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    source: Source,
    mark: Mark,
) -> Result<Sent, Failure> {
    let name = mark.client_id.clone();
    let _under_way = name.map(|name| app.under_way.enter(actor.user, name));
    check(actor.user, conv)?;
    if let Some(client_id) = &mark.client_id
        && let Some(entry) = message::sent(&*app.store, actor.user, client_id).await?
    {
        return repeat(app, actor, conv, source, &entry).await;
    }
    let passed = passed_on(app, actor, source).await?;
    let written = (mark, Writer::Reader);
    let sending = hand_in(app, actor, conv, &passed.content, written).await?;
    sending.saved().await
}

/// What a message is when it is passed on.
struct PassedOn {
    content: SegmentedContent,
    /// When the message was edited last.
    edited_at: Option<Millis>,
}

async fn passed_on(app: &App, actor: &Actor, source: Source) -> Result<PassedOn, Failure> {
    let entry = chat_message_at(app, actor.user, source.conv, source.seq).await?;
    let current = content::current(&*app.store, &[entry]).await?.pop();
    let current = current.ok_or(Refusal::NoSuchMessage)?;
    if current.is_recalled() {
        return Err(Refusal::AlreadyRecalled.into());
    }
    let author = match current.content.forwarded_from {
        Some(author) => author,
        None => {
            let user = current.entry.origin.user;
            let profile = app.store.profiles(&[Peer::User(user)]).await?.pop();
            let nickname = profile.map_or_else(|| user.to_string(), |profile| profile.nickname);
            ForwardedFrom { user, nickname }
        }
    };
    let content = SegmentedContent {
        segments: current.content.segments,
        reply_to: None,
        forwarded_from: Some(author),
    };
    Ok(PassedOn {
        content,
        edited_at: current.state.and_then(|state| state.edited_at),
    })
}

/// The answer to a send that was saved before.
async fn repeat(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    source: Source,
    entry: &Entry,
) -> Result<Sent, Failure> {
    let is_same = match (&entry.body, entry.conv == conv) {
        (
            Body::Message {
                dialect: Dialect::Segments,
                content,
            },
            true,
        ) => match serde_json::from_slice::<SegmentedContent>(content) {
            Ok(saved) => is_from(app, actor, source, &saved, entry.origin.at).await?,
            Err(_) => false,
        },
        (Body::Message { .. } | Body::Notice(_), _) => false,
    };
    if !is_same {
        return Err(Refusal::ClientIdConflict.into());
    }
    Ok(Sent {
        conv,
        seq: entry.seq,
        at: entry.origin.at,
        is_repeat: true,
    })
}

/// Whether what was saved may be this message. One that cannot be read any more, or that was edited
/// since, may have been anything.
async fn is_from(
    app: &App,
    actor: &Actor,
    source: Source,
    saved: &SegmentedContent,
    at: Millis,
) -> Result<bool, Failure> {
    let Some(from) = &saved.forwarded_from else {
        return Ok(false);
    };
    let now = match passed_on(app, actor, source).await {
        Ok(now) => now,
        Err(Failure::Refused(_)) => return Ok(true),
        Err(other) => return Err(other),
    };
    // The author may call himself something else by now.
    let is_author = now
        .content
        .forwarded_from
        .is_some_and(|author| author.user == from.user);
    let is_edited = now.edited_at.is_some_and(|edited| edited >= at);
    Ok(is_author && (is_edited || now.content.segments == saved.segments))
}
