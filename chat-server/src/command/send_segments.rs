//! Writes a message of segments into a conversation.

use std::collections::HashMap;

use bytes::Bytes;
use common::api::{
    BlobClass, Body, Dialect, KnownSegment, Refusal, Segment, SegmentedContent, files_of,
};
use common::id::{BlobId, ConvId, Peer, Seq};
use common::store::file::About;
use common::store::message;

use super::Failure;
use super::check_segments::{Mentions, checked};
use super::files::{Nameless, send_as_files, usable};
use super::may_read::check;
use super::message_at::chat_message_at;
use super::send::{Sending, Sent, Writer, guard, submit};
use crate::actor::{Actor, Mark};
use crate::app::App;
use crate::under_way::Entered;

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
    written: (Mark, Writer),
) -> Result<Sending, Failure> {
    let prepared = prepare(app, actor, conv, draft, written).await?;
    prepared.hand_in(app, actor).await
}

/// A message that was checked and is not handed in yet.
#[derive(Debug)]
pub struct Prepared {
    stage: Stage,
    /// Until it is handed in, whoever asks for its fate waits.
    _under_way: Option<Entered>,
}

#[derive(Debug)]
enum Stage {
    Checked {
        conv: ConvId,
        content: SegmentedContent,
        written: (Mark, Writer),
        nameless: Nameless,
    },
    /// It had been saved before.
    Before(Sent),
}

/// Checks a message, and leaves it to the caller when it is handed in. The first half of
/// [`send_segments`].
///
/// # Errors
/// As [`send_segments`].
pub async fn prepare_segments(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    draft: Draft,
    mark: Mark,
) -> Result<Prepared, Failure> {
    prepare(app, actor, conv, draft, (mark, Writer::Reader)).await
}

async fn prepare(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    draft: Draft,
    written: (Mark, Writer),
) -> Result<Prepared, Failure> {
    let name = written.0.client_id.clone();
    let under_way = name.map(|name| app.under_way.enter(actor.user, name));
    check(actor.user, conv)?;
    let (mut segments, mentions) = checked(draft.segments)?;
    let looked_up = look_up(app, actor, (conv, draft.reply_to), &mut segments, mentions).await;
    let content = SegmentedContent {
        segments,
        reply_to: draft.reply_to,
        forwarded_from: None,
    };
    // What is known of a file may be more by now than when its message was saved, and then the
    // database would take it for another message.
    let was_saved = match &looked_up {
        Err(Failure::Store(_)) => None,
        Ok(_) if files_of(&content.segments).is_empty() => None,
        Ok(_) | Err(_) => repeat(app, actor, conv, &content, &written.0).await?,
    };
    let stage = match (was_saved, looked_up) {
        (Some(sent), _) => Stage::Before(sent),
        (None, Ok(nameless)) => Stage::Checked {
            conv,
            content,
            written,
            nameless,
        },
        (None, Err(failure)) => return Err(failure),
    };
    Ok(Prepared {
        stage,
        _under_way: under_way,
    })
}

impl Prepared {
    /// Whether it can be handed in without waiting for the names of its files.
    pub fn is_ready(&self) -> bool {
        match &self.stage {
            Stage::Checked { nameless, .. } => nameless.is_none(),
            Stage::Before(_) => true,
        }
    }

    /// Waits, but not for long, until old clients can ask for its files.
    ///
    /// # Errors
    /// The store's.
    pub async fn ready(&mut self, app: &App) -> Result<(), Failure> {
        match &mut self.stage {
            Stage::Checked { nameless, .. } => nameless.wait(app).await,
            Stage::Before(_) => Ok(()),
        }
    }

    /// Hands it in as soon as it is ready.
    ///
    /// # Errors
    /// The store's.
    pub async fn hand_in(mut self, app: &App, actor: &Actor) -> Result<Sending, Failure> {
        self.ready(app).await?;
        match self.stage {
            Stage::Checked {
                conv,
                content,
                written,
                ..
            } => hand_in(app, actor, conv, &content, written).await,
            Stage::Before(sent) => Ok(Sending::before(sent)),
        }
    }
}

/// Looks up what a message refers to, and puts in what is known of it.
async fn look_up(
    app: &App,
    actor: &Actor,
    (conv, reply_to): (ConvId, Option<Seq>),
    segments: &mut [Segment],
    mentions: Mentions,
) -> Result<Nameless, Failure> {
    let nameless = complete(app, actor, segments, mentions).await?;
    if let Some(answered) = reply_to {
        chat_message_at(app, actor.user, conv, answered).await?;
    }
    Ok(nameless)
}

/// The answer to a send that was saved before, although it would be refused now, or be another: since
/// then its author may have left the group, and the file may have gone or become better known.
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
        (KnownSegment::Image { name, .. }, KnownSegment::Image { name: name_now, .. }) => {
            then.file() == now.file() && name == name_now
        }
        (KnownSegment::File { name, .. }, KnownSegment::File { name: name_now, .. }) => {
            then.file() == now.file() && name == name_now
        }
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
    let mut nameless = complete(app, actor, &mut segments, mentions).await?;
    nameless.wait(app).await?;
    Ok(segments)
}

/// Checks segments against the database, and puts in what is known of the files. Answers which of
/// them old clients cannot ask for yet.
async fn complete(
    app: &App,
    actor: &Actor,
    segments: &mut [Segment],
    Mentions { files, users }: Mentions,
) -> Result<Nameless, Failure> {
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
    if known.is_empty() {
        return Ok(Nameless::none());
    }
    let named: Vec<_> = segments.iter().filter_map(Segment::file).collect();
    let as_files = named.iter().filter(|(class, _)| *class == BlobClass::File);
    let as_files: Vec<BlobId> = as_files.map(|(_, blob)| *blob).collect();
    send_as_files(app, actor.user, &as_files).await?;
    Nameless::of(app, named, &known).await
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
