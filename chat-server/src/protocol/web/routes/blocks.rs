//! Whom one does not want to hear from.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::api::Profile;
use common::id::{Millis, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command;
use crate::protocol::web::code;
use crate::protocol::web::extract::{InPath, Signed};
use crate::protocol::web::list_page::Items;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{Decimal, Id, Timestamp, User};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, add, remove))
}

/// Somebody who is blocked.
#[derive(Serialize, ToSchema)]
struct Block {
    user: User,
    since: Timestamp,
}

impl From<(Profile, Millis)> for Block {
    fn from((profile, since): (Profile, Millis)) -> Self {
        Self {
            user: profile.into(),
            since: Timestamp(since),
        }
    }
}

/// Whom one blocked, the newest first
#[utoipa::path(
    get, path = "/blocks", tag = "blocks", operation_id = "list_blocks",
    responses((status = 200, body = Items<Block>, description = "All of them"))
)]
async fn list(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
) -> Result<Json<Items<Block>>, Problem> {
    let blocks = command::blocks(&app, &signed.actor).await?;
    let shown = blocks.into_iter().map(Block::from);
    Ok(Json(Items::whole(shown.collect())))
}

/// Whether one blocked somebody
#[utoipa::path(
    get, path = "/blocks/{user_id}", tag = "blocks", operation_id = "show_block",
    params(("user_id" = Id, Path, description = "The user's number")),
    responses(
        (status = 200, body = Block, description = "Blocked"),
        (status = 404, description = "Not blocked"),
    )
)]
async fn show(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(user): InPath<Decimal<UserId>>,
) -> Result<Json<Block>, Problem> {
    let blocks = command::blocks(&app, &signed.actor).await?;
    let mut shown = blocks.into_iter().map(Block::from);
    let block = shown.find(|block| block.user.id == user);
    block
        .map(Json)
        .ok_or_else(|| Problem::new(code::NOT_FOUND, "you have not blocked this user"))
}

/// Blocks somebody
///
/// Who is blocked cannot write to you, ask you, or bring you into a group.
#[utoipa::path(
    put, path = "/blocks/{user_id}", tag = "blocks", operation_id = "block",
    params(("user_id" = Id, Path, description = "The user's number")),
    responses(
        (status = 204, description = "Blocked, now or before"),
        (status = 404, description = "`no_such_user`"),
        (status = 409, description = "`oneself`"),
    )
)]
async fn add(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(user)): InPath<Decimal<UserId>>,
) -> Result<StatusCode, Problem> {
    command::block(&app, &signed.actor, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a block back
#[utoipa::path(
    delete, path = "/blocks/{user_id}", tag = "blocks", operation_id = "unblock",
    params(("user_id" = Id, Path, description = "The user's number")),
    responses((status = 204, description = "Not blocked any more, or never was"))
)]
async fn remove(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(user)): InPath<Decimal<UserId>>,
) -> Result<StatusCode, Problem> {
    command::unblock(&app, &signed.actor, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
