//! Making accounts for others, locking them, giving them passwords and roles.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::id::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::look::AdminUser;
use crate::app::App;
use crate::command::admin::{self, Made, NewUser};
use crate::protocol::web::extract::{Admin, Body, InPath, OptionalBody};
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{Decimal, Id};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(make))
        .routes(routes!(disable))
        .routes(routes!(enable))
        .routes(routes!(set_password))
        .routes(routes!(set_role))
}

/// Somebody who gets an account.
#[derive(Deserialize, ToSchema)]
#[schema(as = AdminNewUser)]
struct NewAccount {
    /// At most 31 bytes, if the server is not set up otherwise.
    #[schema(min_length = 1, max_length = 31, examples("ann"))]
    username: String,
    /// The server makes one if it is not given.
    #[schema(min_length = 8, max_length = 1024)]
    password: Option<String>,
    /// The user name if not given.
    #[schema(min_length = 1, max_length = 63)]
    nickname: Option<String>,
}

/// An account that was made, or got another password.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminMadeUser)]
struct MadeAccount {
    user: AdminUser,
    /// What the server made up. It is told this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    password: Option<String>,
}

impl MadeAccount {
    fn of(app: &App, made: Made) -> Self {
        Self {
            user: AdminUser::of(app, made.account),
            password: made.password,
        }
    }
}

/// Makes an account
///
/// Also where registration is closed.
#[utoipa::path(
    post, path = "/admin/users", tag = "administration", operation_id = "admin_make_user",
    request_body = NewAccount,
    responses(
        (status = 201, body = MadeAccount, description = "Made"),
        (status = 403, description = "`not_an_admin`"),
        (
            status = 409,
            description = "`username_taken`, also by a name that looks like this one; \
                `limit_reached`",
        ),
        (status = 422, description = "`invalid_username`, `weak_password`"),
    )
)]
async fn make(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Body(new): Body<NewAccount>,
) -> Result<(StatusCode, Json<MadeAccount>), Problem> {
    let new = NewUser {
        username: new.username,
        password: new.password,
        nickname: new.nickname,
    };
    let made = admin::make_account(&app, &who, new).await?;
    Ok((StatusCode::CREATED, Json(MadeAccount::of(&app, made))))
}

/// Locks an account
///
/// Nobody gets in any more, whatever the protocol, and all its sessions end. Nothing is lost, and
/// others may go on writing to it.
#[utoipa::path(
    post, path = "/admin/users/{id}/disable", tag = "administration",
    operation_id = "admin_disable_user",
    params(("id" = Id, Path, description = "The user's number")),
    responses(
        (status = 204, description = "Locked, now or before"),
        (status = 403, description = "`not_an_admin`"),
        (status = 404, description = "`no_such_user`"),
        (status = 409, description = "`oneself`"),
    )
)]
async fn disable(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    InPath(Decimal(user)): InPath<Decimal<UserId>>,
) -> Result<StatusCode, Problem> {
    admin::disable(&app, &who, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets an account in again
#[utoipa::path(
    post, path = "/admin/users/{id}/enable", tag = "administration",
    operation_id = "admin_enable_user",
    params(("id" = Id, Path, description = "The user's number")),
    responses(
        (status = 204, description = "Not locked any more, or never was"),
        (status = 403, description = "`not_an_admin`"),
        (status = 404, description = "`no_such_user`"),
    )
)]
async fn enable(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    InPath(Decimal(user)): InPath<Decimal<UserId>>,
) -> Result<StatusCode, Problem> {
    admin::enable(&app, &who, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Default, Deserialize, ToSchema)]
#[schema(as = AdminNewPassword)]
struct NewPassword {
    /// The server makes one if it is not given.
    #[schema(min_length = 8, max_length = 1024)]
    password: Option<String>,
}

/// Gives an account another password
///
/// All its sessions end.
#[utoipa::path(
    put, path = "/admin/users/{id}/password", tag = "administration",
    operation_id = "admin_set_password",
    params(("id" = Id, Path, description = "The user's number")),
    request_body = Option<NewPassword>,
    responses(
        (status = 200, body = MadeAccount, description = "Changed"),
        (status = 403, description = "`not_an_admin`"),
        (status = 404, description = "`no_such_user`"),
        (status = 422, description = "`weak_password`"),
    )
)]
async fn set_password(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    InPath(Decimal(user)): InPath<Decimal<UserId>>,
    OptionalBody(new): OptionalBody<NewPassword>,
) -> Result<Json<MadeAccount>, Problem> {
    let made = admin::reset_password(&app, &who, user, new.password).await?;
    Ok(Json(MadeAccount::of(&app, made)))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AdminNewRole)]
struct NewRole {
    role: AccountRole,
}

/// What a user may do on the server.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AccountRole {
    Admin,
    User,
}

/// Makes an administrator, or an ordinary user again
#[utoipa::path(
    put, path = "/admin/users/{id}/role", tag = "administration", operation_id = "admin_set_role",
    params(("id" = Id, Path, description = "The user's number")),
    request_body = NewRole,
    responses(
        (status = 204, description = "So it is, now or before"),
        (status = 403, description = "`not_an_admin`"),
        (status = 404, description = "`no_such_user`"),
        (status = 409, description = "`last_admin`"),
    )
)]
async fn set_role(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    InPath(Decimal(user)): InPath<Decimal<UserId>>,
    Body(NewRole { role }): Body<NewRole>,
) -> Result<StatusCode, Problem> {
    admin::set_role(&app, &who, user, role == AccountRole::Admin).await?;
    Ok(StatusCode::NO_CONTENT)
}
