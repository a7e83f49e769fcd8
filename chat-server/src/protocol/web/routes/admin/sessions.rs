//! Devices that are signed in, of all users.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::id::{SessionId, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::admin::{self, ListedSession};
use crate::protocol::web::extract::{Admin, InPath, Query};
use crate::protocol::web::list_page::{Cursor, Items, Page};
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{Decimal, DeviceKindWord, Id, Timestamp};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(end))
        .routes(routes!(list_of_user))
}

/// A device that is signed in, and whose it is.
#[derive(Serialize, ToSchema)]
struct AdminSession {
    #[schema(value_type = Id)]
    session_id: Decimal<SessionId>,
    #[schema(value_type = Id)]
    user_id: Decimal<UserId>,
    username: String,
    #[schema(value_type = DeviceKindWord)]
    kind: String,
    /// What the owner calls the device; empty for nothing.
    name: String,
    created_at: Timestamp,
    /// When it was last used, to the minute.
    seen_at: Timestamp,
    expires_at: Timestamp,
    /// Whether it has a connection at this moment.
    connected: bool,
}

impl From<ListedSession> for AdminSession {
    fn from(listed: ListedSession) -> Self {
        let sign_in = listed.sign_in;
        Self {
            session_id: Decimal(sign_in.session),
            user_id: Decimal(sign_in.user),
            username: listed.username,
            kind: sign_in.kind,
            name: sign_in.name,
            created_at: Timestamp(sign_in.created),
            seen_at: Timestamp(sign_in.seen),
            expires_at: Timestamp(sign_in.expires),
            connected: listed.is_connected,
        }
    }
}

/// Lists the devices that are signed in
#[utoipa::path(
    get, path = "/admin/sessions", tag = "administration", operation_id = "admin_list_sessions",
    params(Page),
    responses(
        (status = 200, body = Items<AdminSession>, description = "In the order of their numbers"),
        (status = 403, description = "`not_an_admin`"),
    )
)]
async fn list(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Query(page): Query<Page>,
) -> Result<Json<Items<AdminSession>>, Problem> {
    let after = SessionId(page.cursor.map_or(0, |Cursor(number)| number));
    let found = admin::sessions(&app, &who, after, page.limit.0).await?;
    let shown = found.into_iter().map(AdminSession::from).collect();
    let number = |session: &AdminSession| session.session_id.0.0;
    Ok(Json(Items::piece(shown, page.limit, number)))
}

/// Lists the devices on which a user is signed in
#[utoipa::path(
    get, path = "/admin/users/{id}/sessions", tag = "administration",
    operation_id = "admin_list_user_sessions",
    params(("id" = Id, Path, description = "The user's number")),
    responses(
        (status = 200, body = Items<AdminSession>, description = "Last used first"),
        (status = 403, description = "`not_an_admin`"),
        (status = 404, description = "`no_such_user`"),
    )
)]
async fn list_of_user(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    InPath(Decimal(user)): InPath<Decimal<UserId>>,
) -> Result<Json<Items<AdminSession>>, Problem> {
    let found = admin::sessions_of(&app, &who, user).await?;
    let shown = found.into_iter().map(AdminSession::from).collect();
    Ok(Json(Items::whole(shown)))
}

/// Signs a device out
///
/// Its connection ends with `session_revoked`.
#[utoipa::path(
    delete, path = "/admin/sessions/{id}", tag = "administration",
    operation_id = "admin_end_session",
    params(("id" = Id, Path, description = "The session's number")),
    responses(
        (status = 204, description = "Signed out"),
        (status = 403, description = "`not_an_admin`"),
        (status = 404, description = "`no_such_session`"),
    )
)]
async fn end(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    InPath(Decimal(session)): InPath<Decimal<SessionId>>,
) -> Result<StatusCode, Problem> {
    admin::end_session(&app, &who, session).await?;
    Ok(StatusCode::NO_CONTENT)
}
