//! What is done to messages: recalls, reactions; and who has read them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use common::id::{ConvId, Seq};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::messages::{Spot, mark, shown};
use crate::actor::{Actor, Mark};
use crate::app::App;
use crate::command::{self, Reacting};
use crate::protocol::web::extract::{InPath, OptionalBody, Signed};
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::message::Message;
use crate::protocol::web::shape::{ClientName, Decimal, Id};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(recall))
        .routes(routes!(react, take_back))
        .routes(routes!(readers))
}

/// Nothing has to be said.
#[derive(Debug, Default, Deserialize, ToSchema)]
struct RecallMessage {
    /// The own name for this change, so that it can be sent again.
    #[serde(default)]
    client_id: Option<ClientName>,
}

/// Takes a message back. Its author may, for some time; owner and admins of a group may at any
/// time.
#[utoipa::path(
    post, path = "/conversations/{id}/messages/{seq}/recall", operation_id = "recall_message",
    tag = "messages",
    params(
        ("id" = Id, Path, description = "The conversation"),
        ("seq" = u64, Path, description = "The message's place"),
    ),
    request_body = Option<RecallMessage>,
    responses(
        (status = 200, description = "The message as it is now", body = Message),
        (status = 403, description = "`not_a_member`, `not_the_author`, `too_late`"),
        (status = 404, description = "`no_such_conversation`, `no_such_message`"),
        (status = 409, description = "`already_recalled`, `client_id_conflict`"),
    ),
)]
async fn recall(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(spot): InPath<Spot>,
    OptionalBody(recalled): OptionalBody<RecallMessage>,
) -> Result<Json<Message>, Problem> {
    let mark = mark(recalled.client_id);
    command::recall(&app, &who.actor, spot.conv(), spot.seq(), mark).await?;
    let entry = command::message_at(&app, &who.actor, spot.conv(), spot.seq()).await?;
    shown(&app, entry).await
}

/// The place of a reaction in the address.
#[derive(Debug, Deserialize)]
struct ReactionSpot {
    id: Decimal<ConvId>,
    seq: u64,
    emoji: String,
}

/// Reacts to a message. Doing it again changes nothing.
#[utoipa::path(
    put, path = "/conversations/{id}/messages/{seq}/reactions/{emoji}", operation_id = "react",
    tag = "messages",
    params(
        ("id" = Id, Path, description = "The conversation"),
        ("seq" = u64, Path, description = "The message's place"),
        ("emoji" = String, Path, description = "1 to 32 bytes of visible text, percent-encoded"),
    ),
    responses(
        (status = 200, description = "The message as it is now", body = Message),
        (status = 403, description = "`not_a_member`, `not_friends`, `blocked`, `muted`"),
        (status = 404, description = "`no_such_conversation`, `no_such_user`, `no_such_message`"),
        (status = 409, description = "`already_recalled`, `limit_reached`"),
        (status = 422, description = "`invalid_value`"),
    ),
)]
async fn react(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(spot): InPath<ReactionSpot>,
) -> Result<Json<Message>, Problem> {
    let reacting = Reacting {
        seq: Seq(spot.seq),
        emoji: spot.emoji,
        added: true,
    };
    reacted(&app, &who.actor, spot.id.0, reacting).await
}

/// Takes a reaction back. Doing it again changes nothing.
#[utoipa::path(
    delete, path = "/conversations/{id}/messages/{seq}/reactions/{emoji}",
    operation_id = "take_back_reaction", tag = "messages",
    params(
        ("id" = Id, Path, description = "The conversation"),
        ("seq" = u64, Path, description = "The message's place"),
        ("emoji" = String, Path, description = "1 to 32 bytes of visible text, percent-encoded"),
    ),
    responses(
        (status = 200, description = "The message as it is now", body = Message),
        (status = 403, description = "`not_a_member`, `not_friends`, `blocked`, `muted`"),
        (status = 404, description = "`no_such_conversation`, `no_such_user`, `no_such_message`"),
        (status = 409, description = "`already_recalled`"),
        (status = 422, description = "`invalid_value`"),
    ),
)]
async fn take_back(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(spot): InPath<ReactionSpot>,
) -> Result<Json<Message>, Problem> {
    let reacting = Reacting {
        seq: Seq(spot.seq),
        emoji: spot.emoji,
        added: false,
    };
    reacted(&app, &who.actor, spot.id.0, reacting).await
}

async fn reacted(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    reacting: Reacting,
) -> Result<Json<Message>, Problem> {
    let seq = reacting.seq;
    command::react(app, actor, conv, reacting, Mark::default()).await?;
    let entry = command::message_at(app, actor, conv, seq).await?;
    shown(app, entry).await
}

/// Who has read a message, besides its author.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Readers)]
struct ReadersBody {
    #[schema(minimum = 0)]
    count: u32,
    /// The first 100 of them by number.
    users: Vec<String>,
}

/// How many have read a message, and who.
#[utoipa::path(
    get, path = "/conversations/{id}/messages/{seq}/readers", operation_id = "list_readers",
    tag = "messages",
    params(
        ("id" = Id, Path, description = "The conversation"),
        ("seq" = u64, Path, description = "The message's place"),
    ),
    responses(
        (status = 200, description = "Who has read it", body = ReadersBody),
        (status = 403, description = "`not_a_member`"),
        (status = 404, description = "`no_such_conversation`, `no_such_message`"),
        (status = 409, description = "`limit_reached`: the group is so large that nobody counts"),
    ),
)]
async fn readers(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(spot): InPath<Spot>,
) -> Result<Json<ReadersBody>, Problem> {
    let readers = command::readers(&app, &who.actor, spot.conv(), spot.seq()).await?;
    Ok(Json(ReadersBody {
        count: readers.count,
        users: readers.users.iter().map(ToString::to_string).collect(),
    }))
}
