//! How much room files take, and why they are kept.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use common::store::file::Kept;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::admin;
use crate::protocol::web::extract::Admin;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(files))
}

/// Stored files, each content once.
#[derive(Serialize, ToSchema)]
struct KeptFiles {
    #[serde(flatten)]
    all: Room,
    /// Nothing refers to them: they go when their time is over.
    unused: Room,
    /// Existing clients uploaded them: they stay.
    legacy: Room,
    /// Deleted because of their age, while messages refer to them.
    gone: u64,
}

/// So many, so large.
#[derive(Serialize, ToSchema)]
struct Room {
    files: u64,
    bytes: u64,
}

impl From<Kept> for KeptFiles {
    fn from(kept: Kept) -> Self {
        let room = |files, bytes| Room { files, bytes };
        Self {
            all: room(kept.files, kept.bytes),
            unused: room(kept.unused_files, kept.unused_bytes),
            legacy: room(kept.legacy_files, kept.legacy_bytes),
            gone: kept.gone_files,
        }
    }
}

/// How much room files take, and why they are kept
#[utoipa::path(
    get, path = "/admin/files", tag = "administration", operation_id = "admin_files",
    responses(
        (status = 200, body = KeptFiles, description = "At this moment"),
        (status = 403, description = "`not_an_admin`"),
    )
)]
async fn files(State(app): State<Arc<App>>, Admin(who): Admin) -> Result<Json<KeptFiles>, Problem> {
    Ok(Json(admin::files(&app, &who).await?.into()))
}
