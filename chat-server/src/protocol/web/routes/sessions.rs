//! Signing devices in and out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::api::DeviceKind;
use common::id::SessionId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::{self, Credentials, Device};
use crate::protocol::web::extract::{Body, FromAddress, InPath, Signed};
use crate::protocol::web::json::Object;
use crate::protocol::web::list_page::Items;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{Decimal, DeviceKindWord, Id, Session, Timestamp, User};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(open, list))
        .routes(routes!(end_current))
        .routes(routes!(end))
}

/// Who signs in, and on what.
#[derive(Deserialize, ToSchema)]
struct NewSession {
    #[schema(examples("ann"))]
    username: String,
    #[schema(examples("correct horse"))]
    password: String,
    #[schema(value_type = NewDevice)]
    device: Object<NewDevice>,
}

/// The device that the client runs on.
#[derive(Deserialize, ToSchema)]
struct NewDevice {
    #[schema(value_type = DeviceKindWord)]
    kind: DeviceKind,
    /// What the owner calls the device.
    #[schema(max_length = 64)]
    name: Option<String>,
    /// What the client calls the device, always the same: so a device that signs in again goes on
    /// where it was, and its earlier session ends. A device without an id is new each time.
    #[schema(min_length = 1, max_length = 128)]
    id: Option<String>,
}

/// A device that was signed in.
#[derive(Serialize, ToSchema)]
struct OpenedSession {
    /// For `Authorization: Bearer`.
    token: String,
    expires_at: Timestamp,
    #[schema(value_type = Id)]
    session_id: Decimal<SessionId>,
    user: User,
}

/// Signs a device in
#[utoipa::path(
    post, path = "/sessions", tag = "sessions", operation_id = "sign_in", security(()),
    request_body = NewSession,
    responses(
        (status = 201, body = OpenedSession, description = "Signed in"),
        (status = 401, description = "`bad_credentials`"),
        (status = 403, description = "`account_disabled`"),
        (status = 429, description = "`too_many_attempts`"),
    )
)]
async fn open(
    State(app): State<Arc<App>>,
    FromAddress(from): FromAddress,
    Body(new): Body<NewSession>,
) -> Result<(StatusCode, Json<OpenedSession>), Problem> {
    let who = Credentials {
        username: new.username,
        password: new.password,
    };
    let Object(device) = new.device;
    let device = Device {
        kind: device.kind,
        name: device.name.unwrap_or_default(),
        id: device.id,
    };
    let opened = command::sign_in(&app, from, &who, device).await?;
    let opened = OpenedSession {
        token: opened.token,
        expires_at: Timestamp(opened.expires),
        session_id: Decimal(opened.session),
        user: opened.profile.into(),
    };
    Ok((StatusCode::CREATED, Json(opened)))
}

/// The devices that are signed in, last used first
#[utoipa::path(
    get, path = "/sessions", tag = "sessions", operation_id = "list_sessions",
    responses((status = 200, body = Items<Session>, description = "All of them"))
)]
async fn list(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
) -> Result<Json<Items<Session>>, Problem> {
    let sessions = command::sessions(&app, &signed.actor).await?;
    let shown = sessions
        .into_iter()
        .map(|sign_in| Session::of(sign_in, signed.session));
    Ok(Json(Items::whole(shown.collect())))
}

/// Signs this device out
#[utoipa::path(
    delete, path = "/sessions/current", tag = "sessions", operation_id = "sign_out",
    responses(
        (status = 204, description = "Signed out"),
        (status = 404, description = "`no_such_session`: it was signed out at this moment"),
    )
)]
async fn end_current(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
) -> Result<StatusCode, Problem> {
    command::sign_out(&app, &signed.actor, signed.session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs a device out
///
/// Its connection ends with `session_revoked`.
#[utoipa::path(
    delete, path = "/sessions/{id}", tag = "sessions", operation_id = "end_session",
    params(("id" = Id, Path, description = "The session's number")),
    responses(
        (status = 204, description = "Signed out"),
        (status = 404, description = "`no_such_session`"),
    )
)]
async fn end(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(session)): InPath<Decimal<SessionId>>,
) -> Result<StatusCode, Problem> {
    command::sign_out(&app, &signed.actor, session).await?;
    Ok(StatusCode::NO_CONTENT)
}
