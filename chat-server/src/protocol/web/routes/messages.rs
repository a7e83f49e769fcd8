//! Messages: reading a conversation, writing into it, and the fate of what was written.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::api::{Entry, Segment};
use common::id::{ClientId, ConvId, Seq};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Mark;
use crate::app::App;
use crate::command::{self, Draft, Part, Sent, Source};
use crate::protocol::web::code;
use crate::protocol::web::extract::{Body, InPath, Query, Signed};
use crate::protocol::web::list_page::{Cursor, Items, Limit, limit_schema};
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::message::{self, Message};
use crate::protocol::web::shape::segment::SegmentSchema;
use crate::protocol::web::shape::{ClientName, Decimal, Id, Timestamp};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(history, send))
        .routes(routes!(get_one, edit))
        .routes(routes!(fate))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Reading {
    /// What stands behind this place. Not together with `before`; without both, the newest.
    #[serde(default)]
    #[param(nullable = false, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    after: Option<u64>,
    /// What stands before this place.
    #[serde(default)]
    #[param(nullable = false, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    before: Option<u64>,
    /// How many items at the most: 50 if not given.
    #[serde(default)]
    #[param(schema_with = limit_schema)]
    limit: Limit,
}

/// The messages of a conversation, in ascending `seq`. Edits, recalls and reactions show in the
/// messages that they are about; their own places are left out. `next` is what to give as `after`
/// (or as `before`, when reading backward) for the next piece.
#[utoipa::path(
    get, path = "/conversations/{id}/messages", operation_id = "list_messages", tag = "messages",
    params(("id" = Id, Path, description = "The conversation"), Reading),
    responses(
        (status = 200, description = "A piece of the conversation", body = Items<Message>),
        (status = 403, description = "`not_a_member`"),
        (status = 404, description = "`no_such_conversation`"),
    ),
)]
async fn history(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(Decimal(conv)): InPath<Decimal<ConvId>>,
    Query(reading): Query<Reading>,
) -> Result<Json<Items<Message>>, Problem> {
    let part = match (reading.after, reading.before) {
        (None, None) => Part::Newest,
        (Some(after), None) => Part::After(Seq(after)),
        (None, Some(before)) => Part::Before(Seq(before)),
        (Some(_), Some(_)) => {
            let detail = "give either `after` or `before`";
            return Err(Problem::new(code::INVALID_PARAMETER, detail));
        }
    };
    let page = command::history(&app, &who.actor, conv, part, reading.limit.0).await?;
    Ok(Json(Items {
        items: message::present(&app, &page.entries).await?,
        next: page.next.map(|seq| Cursor(seq.0)),
    }))
}

/// A message to write: either `segments` or `forward`.
#[derive(Debug, Deserialize)]
struct NewMessage {
    client_id: ClientName,
    #[serde(default)]
    segments: Option<Vec<Segment>>,
    #[serde(default)]
    reply_to: Option<u64>,
    #[serde(default)]
    forward: Option<ForwardSource>,
}

/// A message to write, or one to pass on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = NewMessage)]
#[expect(dead_code, reason = "stands only in documents")]
enum NewMessageSchema {
    Written(WrittenMessage),
    Forwarded(ForwardedMessage),
}

/// A message to write.
#[derive(Debug, Serialize, ToSchema)]
struct WrittenMessage {
    #[schema(pattern = "^[!-~]{1,64}$")]
    client_id: String,
    /// What it says; not only empty texts, and at most 64,000 bytes as JSON.
    #[schema(min_items = 1, max_items = 100)]
    segments: Vec<SegmentSchema>,
    /// The message of the same conversation that this one answers.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    reply_to: Option<u64>,
}

/// A message to pass on.
#[derive(Debug, Serialize, ToSchema)]
struct ForwardedMessage {
    #[schema(pattern = "^[!-~]{1,64}$")]
    client_id: String,
    #[schema(inline = false)]
    forward: ForwardSource,
}

/// The message that is passed on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
struct ForwardSource {
    #[schema(value_type = Id)]
    conversation: Decimal<ConvId>,
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    seq: u64,
}

/// Where a message stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sent)]
pub(crate) struct SentBody {
    #[schema(value_type = Id)]
    conversation: Decimal<ConvId>,
    #[schema(minimum = 1)]
    seq: u64,
    time: Timestamp,
    client_id: String,
}

/// Writes a message. The answer comes when it is durable. Sending the same again, with the same
/// `client_id`, answers with the first one's place.
#[utoipa::path(
    post, path = "/conversations/{id}/messages", operation_id = "send_message", tag = "messages",
    params(("id" = Id, Path, description = "The conversation")),
    request_body = NewMessageSchema,
    responses(
        (status = 201, description = "Saved", body = SentBody),
        (status = 200, description = "It was saved before", body = SentBody),
        (status = 403, description = "`not_a_member`, `not_friends`, `blocked`, `muted`"),
        (status = 404, description = "`no_such_conversation`, `no_such_user`, `no_such_message`"),
        (status = 409, description = "`client_id_conflict`, `already_recalled`"),
        (status = 413, description = "`message_too_large`"),
        (status = 422, description = "`no_such_file`"),
    ),
)]
async fn send(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(Decimal(conv)): InPath<Decimal<ConvId>>,
    Body(new): Body<NewMessage>,
) -> Result<(StatusCode, Json<SentBody>), Problem> {
    let ClientName(client_id) = new.client_id;
    let mark = Mark::from(client_id.clone());
    let sent = match (new.segments, new.forward) {
        (Some(segments), None) => {
            let draft = Draft {
                segments,
                reply_to: new.reply_to.map(Seq),
            };
            let sending = command::send_segments(&app, &who.actor, conv, draft, mark).await?;
            sending.saved().await?
        }
        (None, Some(from)) => {
            let source = Source {
                conv: from.conversation.0,
                seq: Seq(from.seq),
            };
            command::forward(&app, &who.actor, conv, source, mark).await?
        }
        (Some(_), Some(_)) | (None, None) => {
            let detail = "give either `segments` or `forward`";
            return Err(Problem::new(code::INVALID_BODY, detail));
        }
    };
    let status = if sent.is_repeat {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(sent_body(&sent, &client_id))))
}

pub(crate) fn sent_body(sent: &Sent, client_id: &ClientId) -> SentBody {
    SentBody {
        conversation: Decimal(sent.conv),
        seq: sent.seq.0,
        time: Timestamp(sent.at),
        client_id: client_id.as_str().to_owned(),
    }
}

/// The place of a message in the address.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Spot {
    id: Decimal<ConvId>,
    seq: u64,
}

impl Spot {
    pub(super) fn conv(self) -> ConvId {
        self.id.0
    }

    pub(super) fn seq(self) -> Seq {
        Seq(self.seq)
    }
}

/// One message.
#[utoipa::path(
    get, path = "/conversations/{id}/messages/{seq}", operation_id = "get_message", tag = "messages",
    params(
        ("id" = Id, Path, description = "The conversation"),
        ("seq" = u64, Path, description = "The message's place"),
    ),
    responses(
        (status = 200, description = "The message as it is now", body = Message),
        (status = 403, description = "`not_a_member`"),
        (status = 404, description = "`no_such_conversation`, `no_such_message`"),
    ),
)]
async fn get_one(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(spot): InPath<Spot>,
) -> Result<Json<Message>, Problem> {
    let entry = command::message_at(&app, &who.actor, spot.conv(), spot.seq()).await?;
    shown(&app, entry).await
}

/// What a message says from now on.
#[derive(Debug, Deserialize, ToSchema)]
struct EditMessage {
    #[schema(value_type = Vec<SegmentSchema>, min_items = 1, max_items = 100)]
    segments: Vec<Segment>,
    /// The own name for this change, so that it can be sent again.
    #[serde(default)]
    client_id: Option<ClientName>,
}

/// Gives a message other segments. Its author may, for some time.
#[utoipa::path(
    patch, path = "/conversations/{id}/messages/{seq}", operation_id = "edit_message",
    tag = "messages",
    params(
        ("id" = Id, Path, description = "The conversation"),
        ("seq" = u64, Path, description = "The message's place"),
    ),
    request_body = EditMessage,
    responses(
        (status = 200, description = "The message as it is now", body = Message),
        (status = 403, description = "`not_a_member`, `not_the_author`, `too_late`, `not_friends`, \
            `blocked`, `muted`"),
        (status = 404, description = "`no_such_conversation`, `no_such_user`, `no_such_message`"),
        (status = 409, description = "`already_recalled`, `client_id_conflict`"),
        (status = 413, description = "`message_too_large`"),
        (status = 422, description = "`no_such_file`"),
    ),
)]
async fn edit(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(spot): InPath<Spot>,
    Body(edited): Body<EditMessage>,
) -> Result<Json<Message>, Problem> {
    let mark = mark(edited.client_id);
    command::edit(
        &app,
        &who.actor,
        spot.conv(),
        spot.seq(),
        edited.segments,
        mark,
    )
    .await?;
    let entry = command::message_at(&app, &who.actor, spot.conv(), spot.seq()).await?;
    shown(&app, entry).await
}

/// What became of a send whose answer was lost. `not_stored` is final: what the server had not
/// saved by now it will never save, unless it is sent again.
#[utoipa::path(
    get, path = "/sends/{client_id}", operation_id = "get_send", tag = "messages",
    params(("client_id" = ClientName, Path, description = "The own name of what was sent")),
    responses(
        (status = 200, description = "It was saved", body = SentBody),
        (status = 404, description = "`not_stored`"),
    ),
)]
async fn fate(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(ClientName(client_id)): InPath<ClientName>,
) -> Result<Json<SentBody>, Problem> {
    let entry = command::fate(&app, &who.actor, &client_id).await?;
    let entry = entry.ok_or(code::NOT_STORED)?;
    Ok(Json(SentBody {
        conversation: Decimal(entry.conv),
        seq: entry.seq.0,
        time: Timestamp(entry.origin.at),
        client_id: client_id.as_str().to_owned(),
    }))
}

/// The name of a change, if the client gave it one.
pub(super) fn mark(client_id: Option<ClientName>) -> Mark {
    client_id.map_or_else(Mark::default, |ClientName(client_id)| client_id.into())
}

/// The answer that shows a message as it is now.
pub(super) async fn shown(app: &App, entry: Entry) -> Result<Json<Message>, Problem> {
    let mut shown = message::present(app, &[entry]).await?;
    let message = shown.pop().ok_or(code::NO_SUCH_MESSAGE)?;
    Ok(Json(message))
}
