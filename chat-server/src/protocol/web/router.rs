//! Puts the API together: routes, documents, and the layers around them.

use std::sync::Arc;

use axum::extract::{FromRef, State};
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Router, middleware, routing};
use common::http::traced;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use super::document::{self, Documents};
use super::{code, layers, pages, problem::Problem, routes};
use crate::app::App;

/// Where the API stands.
pub(super) const PREFIX: &str = "/api/v1";

/// What handlers can ask for with `State`: an `Arc<App>`, or the token that says that the server
/// is stopping.
#[derive(Clone, Debug)]
pub(crate) struct WebState {
    pub(crate) app: Arc<App>,
    pub(crate) shutdown: CancellationToken,
}

impl FromRef<WebState> for Arc<App> {
    fn from_ref(state: &WebState) -> Self {
        Self::clone(&state.app)
    }
}

impl FromRef<WebState> for CancellationToken {
    fn from_ref(state: &WebState) -> Self {
        state.shutdown.clone()
    }
}

/// Somebody who mistyped an address in a browser gets to the web client; programs are told.
async fn nothing_here(
    State(app): State<Arc<App>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let accepts = headers
        .get(ACCEPT)
        .and_then(|accepts| accepts.to_str().ok());
    let is_visit = method == Method::GET && accepts.is_some_and(|it| it.contains("text/html"));
    if is_visit && app.config.web_client.web_client && !uri.path().starts_with("/api/") {
        return Redirect::to("/").into_response();
    }
    Problem::from(code::NOT_FOUND).into_response()
}

/// What the operator of the machine reaches through the admin socket: the administration, and
/// nothing else. Requests need an [`super::Operator`] among their extensions.
pub fn operators_router(app: Arc<App>, shutdown: CancellationToken) -> Router {
    let state = WebState { app, shutdown };
    let routes = OpenApiRouter::with_openapi(document::empty()).nest(PREFIX, routes::admin());
    let (api, _description) = routes.split_for_parts();
    api.fallback(|| async { Problem::from(code::NOT_FOUND) })
        .layer(middleware::from_fn(layers::in_time))
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(middleware::map_response(layers::explained))
        .layer(middleware::from_fn(traced))
        .with_state(state)
}

/// The API and the web client. Made once for a server; cloning it for each connection is cheap. Requests need an
/// `axum::extract::ConnectInfo<SocketAddr>` among their extensions.
pub fn router(app: Arc<App>, shutdown: CancellationToken) -> Router {
    let state = WebState { app, shutdown };
    let (api, description) = described().split_for_parts();
    let documents = Arc::new(Documents::new(description));
    let routes = api
        .route("/api/v1/openapi.json", routing::get(document::openapi))
        .route("/api/docs", routing::get(document::page))
        .layer(axum::Extension(documents))
        .merge(pages::routes(&state.app.config))
        .fallback(nothing_here);
    // From the inside out.
    routes
        .layer(middleware::from_fn(layers::in_time))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            layers::within_rate,
        ))
        .layer(layers::cors(&state.app.config.api.allowed_origins))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            layers::from_our_pages,
        ))
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(middleware::map_response(layers::explained))
        .layer(middleware::from_fn(traced))
        .with_state(state)
}

/// The routes with their description.
fn described() -> OpenApiRouter<WebState> {
    OpenApiRouter::with_openapi(document::empty()).nest(PREFIX, routes::all())
}
