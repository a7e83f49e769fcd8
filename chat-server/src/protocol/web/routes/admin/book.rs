//! The book of what administrators did.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use common::id::UserId;
use common::store::audit::Line;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::admin;
use crate::protocol::web::extract::{Admin, Query};
use crate::protocol::web::list_page::{Cursor, Items, Page};
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{Decimal, Id, Timestamp};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What an administrator did.
#[derive(Serialize, ToSchema)]
struct AuditLine {
    #[schema(value_type = Id)]
    id: Decimal<AuditId>,
    time: Timestamp,
    /// Who did it; 0 for the operator of the machine.
    #[schema(value_type = Id)]
    actor: Decimal<UserId>,
    /// What he was called then.
    by: String,
    #[schema(examples("user.disable"))]
    action: String,
    /// What was changed.
    #[schema(examples("user:7"))]
    target: String,
    /// More for people: a name, or why it was refused.
    detail: String,
}

#[derive(Clone, Copy)]
struct AuditId(u64);

impl std::fmt::Display for AuditId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Line> for AuditLine {
    fn from(line: Line) -> Self {
        Self {
            id: Decimal(AuditId(line.id)),
            time: Timestamp(line.at),
            actor: Decimal(line.actor),
            by: line.by,
            action: line.action,
            target: line.target,
            detail: line.detail,
        }
    }
}

/// What administrators did
///
/// Also what they tried and was refused. Every action is written down in the moment it is done.
#[utoipa::path(
    get, path = "/admin/audit", tag = "administration", operation_id = "admin_audit",
    params(Page),
    responses(
        (status = 200, body = Items<AuditLine>, description = "The newest first"),
        (status = 403, description = "`not_an_admin`"),
    )
)]
async fn list(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Query(page): Query<Page>,
) -> Result<Json<Items<AuditLine>>, Problem> {
    let before = page.cursor.map(|Cursor(number)| number);
    let found = admin::book(&app, &who, before, page.limit.0).await?;
    let shown = found.into_iter().map(AuditLine::from).collect();
    let number = |line: &AuditLine| line.id.0.0;
    Ok(Json(Items::piece(shown, page.limit, number)))
}
