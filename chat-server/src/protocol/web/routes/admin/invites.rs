//! Invites: codes that let somebody make an account.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::id::UserId;
use common::store::invite::Invite;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::admin::{self, NewInvite};
use crate::protocol::web::extract::{Admin, InPath, OptionalBody};
use crate::protocol::web::list_page::Items;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{Decimal, Id, Timestamp};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(make, list))
        .routes(routes!(revoke))
}

/// What an invite is to be good for.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewInvite)]
struct Wanted {
    /// How many accounts can be made with it; any number if not given.
    #[schema(minimum = 1)]
    uses_max: Option<u32>,
    /// Until when; for ever if not given.
    expires_at: Option<Timestamp>,
    /// What it is for, for administrators.
    #[schema(max_length = 255)]
    note: Option<String>,
}

/// Who has the code may make an account.
#[derive(Serialize, ToSchema)]
#[schema(as = Invite)]
struct ShownInvite {
    code: String,
    /// Where the account is to be made; only if the server was told how it is reached
    /// (`public_url`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    server: Option<String>,
    /// Who made it; 0 for the operator of the machine.
    #[schema(value_type = Id)]
    created_by: Decimal<UserId>,
    created_at: Timestamp,
    /// Null for never.
    #[schema(required)]
    expires_at: Option<Timestamp>,
    /// Null for any number.
    #[schema(required)]
    uses_max: Option<u32>,
    uses: u32,
    note: String,
    /// Whether it can be used at this moment.
    usable: bool,
}

impl ShownInvite {
    fn of(app: &App, invite: Invite) -> Self {
        Self {
            server: app.config.public_url.clone(),
            usable: invite.is_good(app.clock.now()),
            code: invite.code,
            created_by: Decimal(invite.creator),
            created_at: Timestamp(invite.created),
            expires_at: invite.expires.map(Timestamp),
            uses_max: invite.uses_max,
            uses: invite.uses,
            note: invite.note,
        }
    }
}

/// Makes an invite
#[utoipa::path(
    post, path = "/admin/invites", tag = "administration", operation_id = "admin_make_invite",
    request_body = Option<Wanted>,
    responses(
        (status = 201, body = ShownInvite, description = "Made"),
        (status = 403, description = "`not_an_admin`"),
        (status = 409, description = "`limit_reached`"),
    )
)]
async fn make(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    OptionalBody(wanted): OptionalBody<Wanted>,
) -> Result<(StatusCode, Json<ShownInvite>), Problem> {
    let new = NewInvite {
        uses_max: wanted.uses_max,
        expires: wanted.expires_at.map(|Timestamp(at)| at),
        note: wanted.note.unwrap_or_default(),
    };
    let made = admin::make_invite(&app, &who, new).await?;
    Ok((StatusCode::CREATED, Json(ShownInvite::of(&app, made))))
}

/// Lists invites, also those that are used up
#[utoipa::path(
    get, path = "/admin/invites", tag = "administration", operation_id = "admin_list_invites",
    responses(
        (status = 200, body = Items<ShownInvite>, description = "All of them, the newest first"),
        (status = 403, description = "`not_an_admin`"),
    )
)]
async fn list(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
) -> Result<Json<Items<ShownInvite>>, Problem> {
    let found = admin::invites(&app, &who).await?;
    let shown = found.into_iter().map(|one| ShownInvite::of(&app, one));
    Ok(Json(Items::whole(shown.collect())))
}

/// Takes an invite back
///
/// Accounts that were made with it stay.
#[utoipa::path(
    delete, path = "/admin/invites/{code}", tag = "administration",
    operation_id = "admin_revoke_invite",
    params(("code" = String, Path, description = "The invite's code")),
    responses(
        (status = 204, description = "Nobody can use it any more"),
        (status = 403, description = "`not_an_admin`"),
        (status = 404, description = "`no_such_invite`"),
    )
)]
async fn revoke(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    InPath(code): InPath<String>,
) -> Result<StatusCode, Problem> {
    admin::revoke_invite(&app, &who, code).await?;
    Ok(StatusCode::NO_CONTENT)
}
