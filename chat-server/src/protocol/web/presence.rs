//! `GET /api/v1/presence`: where users are.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use common::id::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::code;
use super::extract::{Query, Signed};
use super::problem::Problem;
use super::router::WebState;
use super::shape::event;
use crate::app::App;
use crate::presence;

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(get_presence))
}

#[derive(Debug, Deserialize)]
struct Asked {
    users: String,
}

/// Where users are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Presences)]
struct Found {
    items: Vec<event::Shown>,
}

/// Where these users are. Those who are neither contacts nor in a common group are left out.
#[utoipa::path(
    get, path = "/presence", operation_id = "get_presence", tag = "live",
    params((
        "users" = String, Query, pattern = "^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8}){0,499}$",
        description = "Numbers of users with commas between them, at most 500"
    )),
    responses((status = 200, description = "Where they are", body = Found)),
)]
async fn get_presence(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    Query(asked): Query<Asked>,
) -> Result<Json<Found>, Problem> {
    let invalid = || Problem::new(code::INVALID_PARAMETER, "`users` are numbers and commas");
    let users = asked.users.split(',').map(UserId::from_decimal);
    let users: Vec<UserId> = users.collect::<Option<_>>().ok_or_else(invalid)?;
    if users.len() > presence::USERS_MAX {
        return Err(invalid());
    }
    let found = presence::of_users(&app, &who.actor, &users).await?;
    let items = found.into_iter().map(event::Shown::from).collect();
    Ok(Json(Found { items }))
}
