//! Puts the routes of a transfer server together, and the layers around them.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::{Router, middleware, routing};
use tower_http::catch_panic::CatchPanicLayer;

use super::problem::Problem;
use super::{content, layers, plain, tus};
use crate::api::BlobClass;
use crate::transfer::Transfers;

/// Where the files of a class stand.
pub(super) fn prefix(class: BlobClass) -> &'static str {
    match class {
        BlobClass::File => "/files",
        BlobClass::Image => "/images",
    }
}

/// All routes. Made once for a server; cloning it for each connection is cheap. Requests need an
/// `axum::extract::ConnectInfo<SocketAddr>` among their extensions. `more` are the routes that only
/// this server has.
pub(in crate::transfer) fn router(transfers: &Arc<Transfers>, more: Router) -> Router {
    let prefix = prefix(transfers.policy.class);
    let collection = || routing::post(tus::or_plain).fallback(no_method);
    let uploads = routing::head(tus::status)
        .patch(tus::append)
        .delete(tus::terminate)
        .post(tus::overridden)
        .fallback(no_method);
    let files = routing::get(content::get)
        .put(plain::put)
        .fallback(no_method);
    let routes = Router::new()
        .route(prefix, collection())
        .route(&format!("{prefix}/"), collection())
        .route(&format!("{prefix}/uploads/{{id}}"), uploads)
        .route(&format!("{prefix}/{{name}}"), files)
        .with_state(Arc::clone(transfers));
    // From the inside out.
    routes
        .merge(more)
        .fallback(|| async {
            let detail = "There is nothing at this address.";
            Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
        })
        // Bodies are as long as `upload_bytes_max` says.
        .layer(DefaultBodyLimit::disable())
        .layer(layers::cors(transfers))
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(middleware::from_fn_with_state(
            Arc::clone(transfers),
            layers::around,
        ))
}

async fn no_method() -> Problem {
    let detail = "This cannot be done to this address.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
