//! Conversations: the list, one of them, what a user wants of it, how far he has read.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::id::{ConvId, GroupId, Peer, Seq, UserId};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::{self, ConversationSettings};
use crate::protocol::web::code;
use crate::protocol::web::extract::{Body, InPath, Query, Signed};
use crate::protocol::web::list_page::{Limit, limit_schema};
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::conversation::{self, Conversation, NotifyKind};
use crate::protocol::web::shape::{CursorText, Decimal, Id, ListCursor, Piece};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(list, open))
        .routes(routes!(get_one, set))
        .routes(routes!(read))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Listing {
    /// How many items at the most: 50 if not given.
    #[serde(default)]
    #[param(schema_with = limit_schema)]
    limit: Limit,
    /// The `next` of the answer before; nothing for the beginning.
    #[serde(default)]
    #[param(inline, value_type = Option<CursorText>, nullable = false)]
    cursor: Option<ListCursor>,
    /// Hidden conversations too.
    #[serde(default)]
    #[param(nullable = false)]
    hidden: bool,
}

/// The user's conversations, the newest activity first.
#[utoipa::path(
    get, path = "/conversations", operation_id = "list_conversations", tag = "conversations",
    params(Listing),
    responses((status = 200, description = "A piece of the list", body = Piece<Conversation, CursorText>)),
)]
async fn list(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    Query(listing): Query<Listing>,
) -> Result<Json<Piece<Conversation, ListCursor>>, Problem> {
    let limit = listing.limit.0;
    let after = listing.cursor.map(|cursor| (cursor.at, cursor.conv));
    let found = command::list_conversations(&app, &who.actor, listing.hidden, after, limit).await?;
    let is_full = u32::try_from(found.len()).is_ok_and(|length| length >= limit);
    let last = found.last().filter(|_| is_full);
    let next = last.map(|last| ListCursor {
        at: last.place.at,
        conv: last.place.conv,
    });
    let items = conversation::present(&app, found).await?;
    Ok(Json(Piece { items, next }))
}

/// With whom: exactly one of the two.
#[derive(Debug, Deserialize)]
struct Opening {
    #[serde(default)]
    user_id: Option<Decimal<UserId>>,
    #[serde(default)]
    group_id: Option<Decimal<GroupId>>,
}

/// With whom to have a conversation.
#[derive(Debug, serde::Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = OpenConversation)]
#[expect(dead_code, reason = "stands only in documents")]
enum OpeningSchema {
    User(WithUser),
    Group(WithGroup),
}

/// With a user.
#[derive(Debug, serde::Serialize, ToSchema)]
struct WithUser {
    #[schema(pattern = "^[1-9][0-9]{0,7}$", examples("7"))]
    user_id: String,
}

/// With a group.
#[derive(Debug, serde::Serialize, ToSchema)]
struct WithGroup {
    #[schema(pattern = "^3[0-9]{8}$", examples("300000000"))]
    group_id: String,
}

/// A conversation that was found or made.
#[derive(Debug, serde::Serialize, ToSchema)]
struct Opened {
    conversation: Conversation,
}

/// Finds or makes the conversation with a user or a group, and lists it again if it was hidden.
#[utoipa::path(
    post, path = "/conversations", operation_id = "open_conversation", tag = "conversations",
    request_body = OpeningSchema,
    responses(
        (status = 200, description = "The conversation", body = Opened),
        (status = 403, description = "`not_a_member`"),
        (status = 404, description = "`no_such_user`"),
    ),
)]
async fn open(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    Body(opening): Body<Opening>,
) -> Result<Json<Opened>, Problem> {
    let peer = match (opening.user_id, opening.group_id) {
        (Some(Decimal(user)), None) => Peer::User(user),
        (None, Some(Decimal(group))) => Peer::Group(group),
        (Some(_), Some(_)) | (None, None) => {
            let detail = "give either `user_id` or `group_id`";
            return Err(Problem::new(code::INVALID_BODY, detail));
        }
    };
    let opened = command::open_conversation(&app, &who.actor, peer).await?;
    let Json(conversation) = shown(&app, opened).await?;
    Ok(Json(Opened { conversation }))
}

/// One conversation.
#[utoipa::path(
    get, path = "/conversations/{id}", operation_id = "get_conversation", tag = "conversations",
    params(("id" = Id, Path, description = "The conversation")),
    responses(
        (status = 200, description = "The conversation", body = Conversation),
        (status = 403, description = "`not_a_member`"),
        (status = 404, description = "`no_such_conversation`"),
    ),
)]
async fn get_one(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(Decimal(conv)): InPath<Decimal<ConvId>>,
) -> Result<Json<Conversation>, Problem> {
    let found = command::conversation(&app, &who.actor, conv).await?;
    shown(&app, found).await
}

/// What is left out, or null, stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
struct SetConversation {
    /// `true` is `notify: nothing`, `false` is `notify: all`. If both are given, `notify` counts.
    #[serde(default)]
    muted: Option<bool>,
    #[serde(default)]
    notify: Option<NotifyKind>,
    #[serde(default)]
    pinned: Option<bool>,
    /// Lasts until the next entry.
    #[serde(default)]
    hidden: Option<bool>,
}

/// Mutes, pins or hides a conversation in the own list.
#[utoipa::path(
    patch, path = "/conversations/{id}", operation_id = "set_conversation", tag = "conversations",
    params(("id" = Id, Path, description = "The conversation")),
    request_body = SetConversation,
    responses(
        (status = 200, description = "The conversation", body = Conversation),
        (status = 403, description = "`not_a_member`"),
        (status = 404, description = "`no_such_conversation`"),
    ),
)]
async fn set(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(Decimal(conv)): InPath<Decimal<ConvId>>,
    Body(wanted): Body<SetConversation>,
) -> Result<Json<Conversation>, Problem> {
    let muted = wanted.muted.map(|muted| match muted {
        true => NotifyKind::Nothing,
        false => NotifyKind::All,
    });
    let settings = ConversationSettings {
        notify: wanted.notify.or(muted).map(Into::into),
        pinned: wanted.pinned,
        hidden: wanted.hidden,
    };
    let set = command::set_conversation(&app, &who.actor, conv, settings).await?;
    shown(&app, set).await
}

/// How far the user has read.
#[derive(Debug, Deserialize, ToSchema)]
struct ReadUpTo {
    /// Everything up to here. What is behind the end counts as the end.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    seq: u64,
}

/// Says how far the user has read. The mark never moves back.
#[utoipa::path(
    post, path = "/conversations/{id}/read", operation_id = "mark_read", tag = "conversations",
    params(("id" = Id, Path, description = "The conversation")),
    request_body = ReadUpTo,
    responses(
        (status = 204, description = "Noted"),
        (status = 403, description = "`not_a_member`"),
        (status = 404, description = "`no_such_conversation`"),
    ),
)]
async fn read(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(Decimal(conv)): InPath<Decimal<ConvId>>,
    Body(upto): Body<ReadUpTo>,
) -> Result<StatusCode, Problem> {
    command::mark_read(&app, &who.actor, conv, Seq(upto.seq)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn shown(app: &App, found: command::Conversation) -> Result<Json<Conversation>, Problem> {
    let mut shown = conversation::present(app, vec![found]).await?;
    shown.pop().map(Json).ok_or_else(|| code::INTERNAL.into())
}
