//! Writes a message of segments into a conversation.

use std::collections::HashMap;

use bytes::Bytes;
use common::api::{Dialect, KnownSegment, Segment, SegmentedContent};
use common::id::{BlobId, ConvId, Peer, Seq};
use common::store::blob;

use super::Failure;
use super::check_segments::{Mentions, checked};
use super::may_read::check;
use super::message_at::chat_message_at;
use super::send::{Sending, Sent, send};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// A message as its author wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub segments: Vec<Segment>,
    /// The message of the same conversation that this one answers.
    pub reply_to: Option<Seq>,
}

/// Checks a message and hands it in. What was handed in before is numbered before.
///
/// # Errors
/// `Invalid` segments, `MessageTooLarge`, `NoSuchFile`, `NoSuchConversation`, `NotAMember`,
/// `NoSuchMessage` (the one that is answered); the store's.
pub async fn send_segments(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    draft: Draft,
    mark: Mark,
) -> Result<Sending, Failure> {
    let name = mark.client_id.clone();
    let _under_way = name.map(|name| app.under_way.enter(actor.user, name));
    check(actor.user, conv)?;
    let segments = acceptable(app, draft.segments).await?;
    if let Some(answered) = draft.reply_to {
        chat_message_at(app, actor.user, conv, answered).await?;
    }
    let content = SegmentedContent {
        segments,
        reply_to: draft.reply_to,
        forwarded_from: None,
    };
    hand_in(app, actor, conv, &content, mark).await
}

/// Waits until the message is durable; says where it stands, and moves the sender's own read mark
/// there.
///
/// # Errors
/// As [`Sending::saved`].
pub async fn saved(app: &App, actor: &Actor, sending: Sending) -> Result<Sent, Failure> {
    let sent = sending.saved().await?;
    if !sent.is_repeat {
        app.own_marks.note(actor.user, sent.conv, sent.seq);
    }
    Ok(sent)
}

/// Hands checked content in.
pub(super) async fn hand_in(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    content: &SegmentedContent,
    mark: Mark,
) -> Result<Sending, Failure> {
    let json = serde_json::to_vec(content).map_err(|_| Failure::Invalid {
        field: "segments",
        problem: "cannot be written",
    })?;
    check_size(app, json.len())?;
    send(app, actor, conv, Dialect::Segments, Bytes::from(json), mark).await
}

/// Checks segments, also against the database, and puts the true size of files in.
pub(super) async fn acceptable(app: &App, segments: Vec<Segment>) -> Result<Vec<Segment>, Failure> {
    let (mut segments, mentions) = checked(segments)?;
    let Mentions { files, users } = mentions;
    if !users.is_empty() {
        let peers: Vec<Peer> = users.into_iter().map(Peer::User).collect();
        if app.store.profiles(&peers).await?.len() < peers.len() {
            return Err(Failure::Invalid {
                field: "segments",
                problem: "mention a user who does not exist",
            });
        }
    }
    if !files.is_empty() {
        let files: Vec<BlobId> = files.into_iter().collect();
        let stored = blob::stored(&*app.store, &files).await?;
        let sizes: HashMap<BlobId, u64> = stored
            .iter()
            .map(|stored| (stored.blob, stored.size))
            .collect();
        segments
            .iter_mut()
            .try_for_each(|segment| true_size(segment, &sizes))?;
    }
    check_size(
        app,
        serde_json::to_vec(&segments).map_or(usize::MAX, |json| json.len()),
    )?;
    Ok(segments)
}

fn true_size(segment: &mut Segment, sizes: &HashMap<BlobId, u64>) -> Result<(), Failure> {
    if let Segment::Known(
        KnownSegment::Image { file, size, .. } | KnownSegment::File { file, size, .. },
    ) = segment
    {
        *size = *sizes.get(file).ok_or(Failure::NoSuchFile)?;
    }
    Ok(())
}

fn check_size(app: &App, bytes: usize) -> Result<(), Failure> {
    if bytes > app.config.message_bytes_max.in_memory() {
        return Err(Failure::MessageTooLarge);
    }
    Ok(())
}
