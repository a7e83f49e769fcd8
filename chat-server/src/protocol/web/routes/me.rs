//! The own account.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::{self, Failure, PasswordChange, ProfileEdit};
use crate::protocol::web::code;
use crate::protocol::web::extract::{Body, Signed};
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{AvatarText, Birthday, User};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(show, change))
        .routes(routes!(set_password))
}

/// The own profile, and what one may do on the server.
#[derive(Serialize, ToSchema)]
struct Me {
    #[serde(flatten)]
    user: User,
    /// Whether you are an administrator.
    admin: bool,
}

/// The own profile
#[utoipa::path(
    get, path = "/me", tag = "me", operation_id = "show_me",
    responses((status = 200, body = Me, description = "All of it"))
)]
async fn show(State(app): State<Arc<App>>, Signed(signed): Signed) -> Result<Json<Me>, Problem> {
    let profile = command::own_profile(&app, &signed.actor).await?;
    Ok(Json(Me {
        user: profile.into(),
        admin: command::is_admin(&app, &signed.actor).await?,
    }))
}

/// What is left out, or null, stays. An empty text takes away what was there.
#[derive(Deserialize, ToSchema)]
struct MeChange {
    #[schema(min_length = 1, max_length = 63)]
    nickname: Option<String>,
    /// `builtin:N`, the SHA-256 of a stored picture that you may use, or the name that a profile
    /// shows.
    #[schema(value_type = Option<String>, max_length = 64, examples("builtin:7"))]
    avatar: Option<AvatarText>,
    #[schema(max_length = 255)]
    signature: Option<String>,
    #[schema(minimum = 0, maximum = 1)]
    gender: Option<i32>,
    #[schema(value_type = Option<String>, format = Date, examples("1990-01-31"))]
    birthday: Option<Birthday>,
    #[schema(max_length = 31)]
    phone: Option<String>,
    #[schema(max_length = 47)]
    mail: Option<String>,
    #[schema(max_length = 63)]
    address: Option<String>,
}

/// Changes the own profile
///
/// Lengths are counted in bytes.
#[utoipa::path(
    patch, path = "/me", tag = "me", operation_id = "change_me",
    request_body = MeChange,
    responses((status = 200, body = User, description = "As it is now"))
)]
async fn change(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    Body(change): Body<MeChange>,
) -> Result<Json<User>, Problem> {
    let edit = ProfileEdit {
        nickname: change.nickname,
        avatar: change.avatar.map(|AvatarText(avatar)| avatar),
        signature: change.signature,
        gender: change.gender,
        birthday: change.birthday.map(|Birthday(number)| number),
        phone: change.phone,
        mail: change.mail,
        address: change.address,
    };
    let profile = command::change_profile(&app, &signed.actor, signed.actor.user, edit).await?;
    Ok(Json(profile.into()))
}

/// The old password proves that it is the owner.
#[derive(Deserialize, ToSchema)]
struct NewPassword {
    old_password: String,
    #[schema(min_length = 8, max_length = 1024)]
    new_password: String,
}

/// Changes the password
///
/// All other devices are signed out.
#[utoipa::path(
    put, path = "/me/password", tag = "me", operation_id = "change_password",
    request_body = NewPassword,
    responses(
        (status = 204, description = "Changed"),
        (status = 403, description = "`wrong_password`"),
        (status = 422, description = "`weak_password`"),
        (status = 429, description = "`too_many_attempts`"),
    )
)]
async fn set_password(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    Body(new): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let change = PasswordChange {
        old: new.old_password,
        new: new.new_password,
    };
    match command::replace_password(&app, &signed, &change).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        // Not 401, which tells clients that their token is worth nothing any more.
        Err(Failure::WrongPassword) => Err(code::WRONG_PASSWORD.into()),
        Err(failure) => Err(failure.into()),
    }
}
