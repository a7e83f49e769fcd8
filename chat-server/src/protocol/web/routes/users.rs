//! Accounts: making one, looking at others.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::id::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::{self, Registration};
use crate::protocol::web::extract::{Body, FromAddress, InPath, Query as InQuery, Signed};
use crate::protocol::web::list_page::{Items, Page};
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{Decimal, Id, User};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(make, find))
        .routes(routes!(show))
}

/// What somebody fills in who has no account.
#[derive(Deserialize, ToSchema)]
struct NewUser {
    /// At most 31 bytes, if the server is not set up otherwise.
    #[schema(min_length = 1, max_length = 31, examples("ann"))]
    username: String,
    #[schema(min_length = 8, max_length = 1024, examples("correct horse"))]
    password: String,
    /// The user name if not given.
    #[schema(min_length = 1, max_length = 63)]
    nickname: Option<String>,
    /// The code of an invite, for servers that ask for one.
    #[schema(max_length = 64)]
    invite: Option<String>,
}

/// An account that was made.
#[derive(Serialize, ToSchema)]
struct MadeUser {
    user: User,
}

/// Makes an account
#[utoipa::path(
    post, path = "/users", tag = "users", operation_id = "make_user", security(()),
    request_body = NewUser,
    responses(
        (status = 201, body = MadeUser, description = "Made"),
        (status = 403, description = "`registration_closed`, `invite_needed`, `invite_invalid`"),
        (
            status = 409,
            description = "`username_taken`, also by a name that looks like this one, in another \
                case or other letters; `limit_reached`",
        ),
        (status = 422, description = "`invalid_username`, `weak_password`"),
        (status = 429, description = "`too_many_attempts`"),
    )
)]
async fn make(
    State(app): State<Arc<App>>,
    FromAddress(from): FromAddress,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, Json<MadeUser>), Problem> {
    let wanted = Registration {
        nickname: new.nickname.unwrap_or_else(|| new.username.clone()),
        username: new.username,
        password: new.password,
        invite: new.invite,
    };
    let profile = command::sign_up(&app, from, wanted).await?;
    let user = profile.into();
    Ok((StatusCode::CREATED, Json(MadeUser { user })))
}

/// Who is looked for.
#[derive(Deserialize)]
struct Sought {
    query: String,
}

/// Finds users by their names
#[utoipa::path(
    get, path = "/users", tag = "users", operation_id = "find_users",
    params(
        (
            "query" = String, Query, min_length = 1, max_length = 255,
            description = "What the user name or nickname begins with, or the user's number"
        ),
        Page,
    ),
    responses(
        (status = 200, body = Items<User>, description = "In the order of their numbers"),
        (status = 422, description = "`invalid_value`"),
    )
)]
async fn find(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InQuery(Sought { query }): InQuery<Sought>,
    InQuery(page): InQuery<Page>,
) -> Result<Json<Items<User>>, Problem> {
    let after = page.after_user();
    let found = command::find_people(&app, &signed.actor, &query, after, page.limit.0).await?;
    let users = found.into_iter().map(User::from).collect();
    let number = |user: &User| u64::from(user.id.0.0);
    Ok(Json(Items::piece(users, page.limit, number)))
}

/// A user's profile
#[utoipa::path(
    get, path = "/users/{id}", tag = "users", operation_id = "show_user",
    params(("id" = Id, Path, description = "The user's number")),
    responses(
        (status = 200, body = User, description = "As you may see it"),
        (status = 404, description = "`no_such_user`"),
    )
)]
async fn show(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(user)): InPath<Decimal<UserId>>,
) -> Result<Json<User>, Problem> {
    let profile = command::person(&app, &signed.actor, user).await?;
    Ok(Json(profile.into()))
}
