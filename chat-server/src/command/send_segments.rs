//! Writes a message of segments into a conversation.

use std::collections::HashMap;

use bytes::Bytes;
use common::api::{Body, Dialect, KnownSegment, Refusal, Segment, SegmentedContent, files_of};
use common::id::{BlobId, ConvId, Peer, Seq};
use common::store::file::About;
use common::store::message;

use super::Failure;
use super::check_segments::{Mentions, checked};
use super::files::{usable, wait_for_names};
use super::may_read::check;
use super::message_at::chat_message_at;
use super::send::{Sending, Sent, Writer, guard, submit};
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
    let (mut segments, mentions) = checked(draft.segments)?;
    let looked_up = look_up(app, actor, (conv, draft.reply_to), &mut segments, mentions).await;
    let content = SegmentedContent {
        segments,
        reply_to: draft.reply_to,
        forwarded_from: None,
    };
    match looked_up {
        Ok(()) => hand_in(app, actor, conv, &content, (mark, writer)).await,
        Err(failure @ Failure::Store(_)) => Err(failure),
        Err(failure) => match repeat(app, actor, conv, &content, &mark).await? {
            Some(sent) => Ok(Sending::before(sent)),
            None => Err(failure),
        },
    }
}

/// Looks up what a message refers to, and puts in what is known of it.
async fn look_up(
    app: &App,
    actor: &Actor,
    (conv, reply_to): (ConvId, Option<Seq>),
    segments: &mut [Segment],
    mentions: Mentions,
) -> Result<(), Failure> {
    complete(app, actor, segments, mentions).await?;
    if let Some(answered) = reply_to {
        chat_message_at(app, actor.user, conv, answered).await?;
    }
    Ok(())
}

/// The answer to a send that was saved before, although it would be refused now: since then its
/// author may have left the group, or the file may have gone.
async fn repeat(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    content: &SegmentedContent,
    mark: &Mark,
) -> Result<Option<Sent>, Failure> {
    let Some(client_id) = &mark.client_id else {
        return Ok(None);
    };
    let Some(entry) = message::sent(&*app.store, actor.user, client_id).await? else {
        return Ok(None);
    };
    if entry.conv != conv || !says(&entry.body, content) {
        return Err(Refusal::ClientIdConflict.into());
    }
    Ok(Some(Sent {
        conv,
        seq: entry.seq,
        at: entry.origin.at,
        is_repeat: true,
    }))
}

/// Whether this was saved of a message with this content.
fn says(body: &Body, content: &SegmentedContent) -> bool {
    let Body::Message {
        dialect: Dialect::Segments,
        content: saved,
    } = body
    else {
        return false;
    };
    let Ok(saved) = serde_json::from_slice::<SegmentedContent>(saved) else {
        return false;
    };
    saved.reply_to == content.reply_to
        && saved.forwarded_from == content.forwarded_from
        && saved.segments.len() == content.segments.len()
        && std::iter::zip(&saved.segments, &content.segments).all(|(then, now)| is_same(then, now))
}

/// Whether two parts are the same, but for what the server puts in itself.
fn is_same(then: &Segment, now: &Segment) -> bool {
    let (Segment::Known(known_then), Segment::Known(known_now)) = (then, now) else {
        return then == now;
    };
    match (known_then, known_now) {
        (
            KnownSegment::Image { name, .. },
            KnownSegment::Image {
                name: name_now, ..
            },
        ) => then.file() == now.file() && name == name_now,
        (
            KnownSegment::File { name, .. },
            KnownSegment::File {
                name: name_now, ..
            },
        ) => then.file() == now.file() && name == name_now,
        _ => then == now,
    }
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
    complete(app, actor, &mut segments, mentions).await?;
    Ok(segments)
}

/// Checks segments against the database, and puts in what is known of the files.
async fn complete(
    app: &App,
    actor: &Actor,
    segments: &mut [Segment],
    Mentions { files, users }: Mentions,
) -> Result<(), Failure> {
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
    for segment in &mut *segments {
        fill(segment, &known);
    }
    check_size(
        app,
        serde_json::to_vec(segments).map_or(usize::MAX, |json| json.len()),
    )?;
    let named = segments.iter().filter_map(Segment::file);
    wait_for_names(app, named, &known).await
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
