//! Looking through the whole database, told line by line.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use common::id::ConvId;
use common::store::verify::{Finding, Verification};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::command::admin;
use crate::protocol::web::code;
use crate::protocol::web::extract::Admin;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::Decimal;

/// Newline-delimited JSON.
const NDJSON: &str = "application/x-ndjson";
/// How many pieces wait for a slow reader.
const PIECES_WAITING_MAX: usize = 4;
/// How often it is told how far it got.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);
/// When to try again while another one looks.
const RETRY_AFTER: Duration = Duration::from_secs(30);

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(verify))
        .layer(axum::Extension(OneAtATime(Arc::new(Semaphore::new(1)))))
}

/// It reads the whole database, so one look at a time is enough.
#[derive(Clone)]
struct OneAtATime(Arc<Semaphore>);

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Progress {
        conversations: u64,
        entries: u64,
    },
    Finding {
        kind: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        conversation: Option<Decimal<ConvId>>,
        text: String,
    },
    /// The last line if the database could not be asked to the end.
    Error {
        text: String,
    },
    /// The last line of a look that saw everything.
    End {
        conversations: u64,
        entries: u64,
        findings: u64,
    },
}

/// Looks through the whole database for what cannot be
///
/// The answer is newline-delimited JSON: `progress` lines, a `finding` for everything that cannot
/// be, and at the end a line `{"type": "end", "conversations", "entries", "findings"}`. Without that
/// last line not everything was seen. The server goes on meanwhile. One at a time.
#[utoipa::path(
    post, path = "/admin/log/verify", tag = "administration", operation_id = "admin_verify_log",
    responses(
        (status = 200, description = "One JSON object a line", body = String,
            content_type = "application/x-ndjson"),
        (status = 403, description = "`not_an_admin`"),
    ),
)]
async fn verify(
    State(WebState { app, shutdown }): State<WebState>,
    axum::Extension(OneAtATime(turns)): axum::Extension<OneAtATime>,
    Admin(who): Admin,
) -> Result<Response, Problem> {
    let turn = turns.try_acquire_owned().map_err(|_| {
        let detail = "somebody is looking through the database already";
        Problem::new(code::RATE_LIMITED, detail).after(RETRY_AFTER)
    })?;
    let looking = admin::begin_verification(&app, &who).await?;
    let (pieces, told) = mpsc::channel(PIECES_WAITING_MAX);
    // It ends with the connection, because nobody takes the pieces then, or with the server.
    tokio::spawn(async move {
        let _ = shutdown
            .run_until_cancelled(look(looking, pieces, turn))
            .await;
    });
    let body = Body::from_stream(stream::unfold(told, |mut told| async {
        let piece: Bytes = told.recv().await?;
        Some((io::Result::Ok(piece), told))
    }));
    Ok(([(CONTENT_TYPE, NDJSON)], body).into_response())
}

/// Looks at everything and tells it, as long as somebody listens.
async fn look(
    mut looking: Verification,
    pieces: mpsc::Sender<Bytes>,
    _turn: OwnedSemaphorePermit,
) -> Option<()> {
    let mut findings = 0;
    let mut due = Instant::now() + PROGRESS_EVERY;
    loop {
        let progress = Line::Progress {
            conversations: looking.conversations,
            entries: looking.entries,
        };
        let progress = written(&[progress]);
        let found = {
            let mut next = pin!(looking.next());
            // One piece, such as the database's own look at its file, may take minutes.
            loop {
                if let Ok(found) = timeout_at(due, &mut next).await {
                    break found;
                }
                pieces.send(progress.clone()).await.ok()?;
                due = Instant::now() + PROGRESS_EVERY;
            }
        };
        let mut lines: Vec<Line> = Vec::new();
        let is_over = match found {
            Ok(Some(found)) => {
                findings += u64::try_from(found.len()).unwrap_or(u64::MAX);
                lines.extend(found.into_iter().map(Line::from));
                false
            }
            Ok(None) => {
                lines.push(Line::End {
                    conversations: looking.conversations,
                    entries: looking.entries,
                    findings,
                });
                true
            }
            Err(error) => {
                tracing::warn!(%error, "looking through the database broke off");
                lines.push(Line::Error {
                    text: "the database could not be read to the end".to_owned(),
                });
                true
            }
        };
        if !lines.is_empty() {
            pieces.send(written(&lines)).await.ok()?;
        } else if pieces.is_closed() {
            return None;
        }
        if is_over {
            return Some(());
        }
    }
}

impl From<Finding> for Line {
    fn from(finding: Finding) -> Self {
        Self::Finding {
            kind: finding.kind.as_str(),
            conversation: finding.conv.map(Decimal),
            text: finding.text,
        }
    }
}

fn written(lines: &[Line]) -> Bytes {
    let mut text = Vec::new();
    for line in lines {
        // Writing to memory does not fail, and these lines have nothing that JSON cannot say.
        if serde_json::to_writer(&mut text, line).is_ok() {
            text.push(b'\n');
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use common::store::sqlite::SqliteStore;
    use common::store::{Change, Outcome, Store, StoreError};
    use tokio::sync::Notify;

    use super::*;
    use crate::testing::{FaultyStore, Script};

    /// Reads wait until they are let go.
    #[derive(Default)]
    struct Slow(Arc<Notify>);

    #[async_trait]
    impl Script for Slow {
        async fn before_read(&self) -> Result<(), StoreError> {
            self.0.notified().await;
            self.0.notify_one();
            Ok(())
        }

        async fn commit(
            &self,
            store: &dyn Store,
            batch: &[Change],
        ) -> Result<Vec<Outcome>, StoreError> {
            store.commit(batch).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_piece_that_takes_long_is_no_silence() {
        let slow = Slow::default();
        let go = Arc::clone(&slow.0);
        let store = Arc::new(SqliteStore::in_memory().unwrap());
        let store = FaultyStore::scripted(store, Box::new(slow));
        let turns = Arc::new(Semaphore::new(1));
        let turn = turns.try_acquire_owned().unwrap();
        let (pieces, mut told) = mpsc::channel(PIECES_WAITING_MAX);
        let looking = tokio::spawn(look(Verification::new(Arc::new(store)), pieces, turn));
        for _ in 0..3 {
            let line = told.recv().await.unwrap();
            assert_eq!(
                line,
                "{\"type\":\"progress\",\"conversations\":0,\"entries\":0}\n"
            );
        }
        go.notify_one();
        let mut last = Bytes::new();
        while let Some(line) = told.recv().await {
            last = line;
        }
        assert!(last.starts_with(b"{\"type\":\"end\""), "{last:?}");
        assert_eq!(looking.await.unwrap(), Some(()));
    }
}
