//! The administration of the server, one file a subject.

mod accounts;
mod book;
mod files;
mod groups;
mod invites;
mod look;
mod sessions;
mod upgrades;
mod verify;
mod watch;

use utoipa_axum::router::OpenApiRouter;

use crate::protocol::web::router::WebState;

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .merge(look::routes())
        .merge(accounts::routes())
        .merge(sessions::routes())
        .merge(groups::routes())
        .merge(invites::routes())
        .merge(upgrades::routes())
        .merge(files::routes())
        .merge(book::routes())
        .merge(verify::routes())
        .merge(watch::routes())
}
