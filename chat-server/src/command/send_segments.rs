//! Writes a message of segments into a conversation.

use std::collections::HashMap;

use bytes::Bytes;
use common::api::{BlobClass, Body, Dialect, KnownSegment, Segment, SegmentedContent, files_of};
use common::id::{BlobId, ConvId, Peer, Seq};
use common::store::file::About;

use super::Failure;
use super::check_segments::{Mentions, checked};
use super::files::{send_as_files, usable, wait_for_names};
use super::may_read::check;
use super::message_at::chat_message_at;
use super::send::{Sending, Writer, guard, submit};
use crate::actor::{Actor, Mark};
use crate::app::App;

/// The type of a file of which nothing is known.
const ANY_BYTES: &str = "application/octet-stream";

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
    write_segments(app, actor, conv, draft, (mark, Writer::Reader)).await
}

/// As [`send_segments`], and says who writes.
pub(super) async fn write_segments(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    draft: Draft,
    (mark, writer): (Mark, Writer),
) -> Result<Sending, Failure> {
    let name = mark.client_id.clone();
    let _under_way = name.map(|name| app.under_way.enter(actor.user, name));
    check(actor.user, conv)?;
    let segments = acceptable(app, actor, draft.segments).await?;
    if let Some(answered) = draft.reply_to {
        chat_message_at(app, actor.user, conv, answered).await?;
    }
    let content = SegmentedContent {
        segments,
        reply_to: draft.reply_to,
        forwarded_from: None,
    };
    hand_in(app, actor, conv, &content, (mark, writer)).await
}

/// Hands checked content in.
pub(super) async fn hand_in(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    content: &SegmentedContent,
    (mark, writer): (Mark, Writer),
) -> Result<Sending, Failure> {
    let json = serde_json::to_vec(content).map_err(|_| Failure::Invalid {
        field: "segments",
        problem: "cannot be written",
    })?;
    check_size(app, json.len())?;
    let body = Body::Message {
        dialect: Dialect::Segments,
        content: Bytes::from(json),
    };
    let files = files_of(&content.segments);
    let guard = guard(app, actor.user, conv);
    submit(app, actor, conv, (body, files), (mark, guard, writer)).await
}

/// Checks segments, also against the database, and puts in what is known of the files.
pub(super) async fn acceptable(
    app: &App,
    actor: &Actor,
    segments: Vec<Segment>,
) -> Result<Vec<Segment>, Failure> {
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
    let files: Vec<BlobId> = files.into_iter().collect();
    let known = usable(app, actor.user, &files).await?;
    for segment in &mut segments {
        fill(segment, &known);
    }
    check_size(
        app,
        serde_json::to_vec(&segments).map_or(usize::MAX, |json| json.len()),
    )?;
    let named: Vec<_> = segments.iter().filter_map(Segment::file).collect();
    let as_files = named.iter().filter(|(class, _)| *class == BlobClass::File);
    let as_files: Vec<BlobId> = as_files.map(|(_, blob)| *blob).collect();
    send_as_files(app, actor.user, &as_files).await?;
    wait_for_names(app, named, &known).await?;
    Ok(segments)
}

/// What the server knows of a file is said in the place of what the author said.
fn fill(segment: &mut Segment, known: &HashMap<BlobId, About>) {
    match segment {
        Segment::Known(KnownSegment::Image {
            file,
            width,
            height,
            size,
            thumbhash,
            ..
        }) => {
            let Some(about) = known.get(file) else {
                return;
            };
            *size = about.size;
            if let Some(picture) = &about.picture {
                (*width, *height) = (picture.width, picture.height);
                *thumbhash = picture.thumbhash.clone().or(thumbhash.take());
            }
        }
        Segment::Known(KnownSegment::File {
            file, size, mime, ..
        }) => {
            let Some(about) = known.get(file) else {
                return;
            };
            *size = about.size;
            // Any bytes may be that: then the author knows more.
            let known = about.mime.clone().filter(|mime| mime != ANY_BYTES);
            *mime = known.unwrap_or_else(|| std::mem::take(mime));
        }
        Segment::Known(_) | Segment::Unknown(_) => {}
    }
}

fn check_size(app: &App, bytes: usize) -> Result<(), Failure> {
    if bytes > app.config.message_bytes_max.in_memory() {
        return Err(Failure::MessageTooLarge);
    }
    Ok(())
}
