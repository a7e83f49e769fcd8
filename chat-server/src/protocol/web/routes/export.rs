//! The export of one's own data.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use common::id::UserId;
use futures_util::stream;
use tokio::sync::mpsc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::protocol::web::code;
use crate::protocol::web::export;
use crate::protocol::web::extract::Signed;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;

/// Newline-delimited JSON.
const NDJSON: &str = "application/x-ndjson";
/// How many pages wait for a slow reader.
const PAGES_WAITING_MAX: usize = 2;
/// When to try again while an export is under way.
const RETRY_AFTER: Duration = Duration::from_secs(30);

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(export))
        .layer(Extension(Arc::<Exports>::default()))
}

/// Whose exports are under way: one an account, because each reads a good part of the database.
#[derive(Debug, Default)]
struct Exports(Mutex<HashSet<UserId>>);

impl Exports {
    fn begin(self: Arc<Self>, user: UserId) -> Option<UnderWay> {
        let is_first = self.lock().insert(user);
        is_first.then(|| UnderWay {
            exports: self,
            user,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<UserId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An export that has not ended.
#[derive(Debug)]
struct UnderWay {
    exports: Arc<Exports>,
    user: UserId,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.exports.lock().remove(&self.user);
    }
}

/// Everything that the server keeps of the user and that he may read, as newline-delimited JSON:
/// `profile`, `session`, `contact_list`, `contact`, `group`, `block`, `bot`, `incoming_webhook`,
/// `outgoing_webhook`, then each `conversation` with its `message`s, then `end`. Without that last line it is not complete.
/// One at a time for an account.
#[utoipa::path(
    get, path = "/me/export", operation_id = "export_me", tag = "me",
    responses((status = 200, description = "One JSON object a line", body = String,
        content_type = "application/x-ndjson")),
)]
async fn export(
    State(state): State<WebState>,
    Extension(exports): Extension<Arc<Exports>>,
    Signed(who): Signed,
) -> Result<Response, Problem> {
    let under_way = exports.begin(who.actor.user).ok_or_else(|| {
        let detail = "an export of this account is under way";
        Problem::new(code::RATE_LIMITED, detail).after(RETRY_AFTER)
    })?;
    let (pages, written) = mpsc::channel(PAGES_WAITING_MAX);
    let (ended, end) = tokio::sync::oneshot::channel();
    let WebState { app, shutdown } = state;
    // It ends with the connection, because nobody takes the pages then, or with the server.
    tokio::spawn(async move {
        let writing = export::write(&app, &who, &pages);
        let result = shutdown.run_until_cancelled(writing).await;
        if let Some(Err(error)) = &result {
            tracing::warn!(%error, "an export broke off");
        }
        drop((under_way, pages));
        // A reader that is gone wants to know nothing.
        let _ = ended.send(matches!(result, Some(Ok(()))));
    });
    let body = Body::from_stream(stream::unfold(Some((written, end)), |reading| async {
        let (mut written, end) = reading?;
        match written.recv().await {
            Some(page) => Some((Ok(page), Some((written, end)))),
            // A reader must not take half for the whole: the answer breaks off too.
            None if end.await != Ok(true) => {
                Some((Err(io::Error::other("the export broke off")), None))
            }
            None => None,
        }
    }));
    let name = "attachment; filename=\"myim-export.ndjson\"";
    let headers = [(CONTENT_TYPE, NDJSON), (CONTENT_DISPOSITION, name)];
    Ok((headers, body).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_export_at_a_time() {
        let exports = Arc::<Exports>::default();
        let first = Arc::clone(&exports).begin(UserId(1));
        assert!(first.is_some());
        assert!(Arc::clone(&exports).begin(UserId(1)).is_none());
        assert!(Arc::clone(&exports).begin(UserId(2)).is_some());
        drop(first);
        assert!(exports.begin(UserId(1)).is_some());
    }
}
