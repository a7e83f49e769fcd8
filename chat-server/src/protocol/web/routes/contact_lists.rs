//! The lists that contacts are kept in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::api::TeamEdit;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command;
use crate::protocol::web::extract::{Body, InPath, Signed};
use crate::protocol::web::list_page::Items;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(rename, remove))
}

/// A list. It is known by its name.
#[derive(Serialize, Deserialize, ToSchema)]
struct ContactListName {
    #[schema(min_length = 1, max_length = 32)]
    name: String,
}

/// All lists, in the owner's order
#[utoipa::path(
    get, path = "/contact_lists", tag = "contacts", operation_id = "list_contact_lists",
    responses((status = 200, body = Items<ContactListName>, description = "All of them"))
)]
async fn list(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
) -> Result<Json<Items<ContactListName>>, Problem> {
    let people = command::people_of(&app, &signed.actor).await?;
    let names = people.teams.into_iter();
    let shown = names.map(|name| ContactListName { name });
    Ok(Json(Items::whole(shown.collect())))
}

/// Makes a list
#[utoipa::path(
    post, path = "/contact_lists", tag = "contacts", operation_id = "make_contact_list",
    request_body = ContactListName,
    responses(
        (status = 201, body = ContactListName, description = "Made"),
        (status = 409, description = "`list_exists`, `limit_reached`"),
    )
)]
async fn make(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    Body(list): Body<ContactListName>,
) -> Result<(StatusCode, Json<ContactListName>), Problem> {
    let name = list.name.clone();
    command::edit_teams(&app, &signed.actor, TeamEdit::Add { name }).await?;
    Ok((StatusCode::CREATED, Json(list)))
}

/// Renames a list
#[utoipa::path(
    patch, path = "/contact_lists/{name}", tag = "contacts", operation_id = "rename_contact_list",
    params(("name" = String, Path, description = "The list's name")),
    request_body = ContactListName,
    responses(
        (status = 200, body = ContactListName, description = "Renamed"),
        (status = 404, description = "`no_such_list`"),
        (status = 409, description = "`list_exists`, `default_list`"),
    )
)]
async fn rename(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(from): InPath<String>,
    Body(list): Body<ContactListName>,
) -> Result<Json<ContactListName>, Problem> {
    let to = list.name.clone();
    command::edit_teams(&app, &signed.actor, TeamEdit::Rename { from, to }).await?;
    Ok(Json(list))
}

/// Removes a list; its contacts move to the default list
#[utoipa::path(
    delete, path = "/contact_lists/{name}", tag = "contacts", operation_id = "remove_contact_list",
    params(("name" = String, Path, description = "The list's name")),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "`no_such_list`"),
        (status = 409, description = "`default_list`"),
    )
)]
async fn remove(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(name): InPath<String>,
) -> Result<StatusCode, Problem> {
    command::edit_teams(&app, &signed.actor, TeamEdit::Remove { name }).await?;
    Ok(StatusCode::NO_CONTENT)
}
