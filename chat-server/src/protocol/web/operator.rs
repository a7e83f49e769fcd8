//! The admin socket: HTTP on a Unix-domain socket, without signing in, for whoever runs the machine.
//! Whoever can open its file may do everything that administrators may.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use common::net::{LocalConnection, LocalListener};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// Connections at a time: an operator, and some scripts.
const CONNECTIONS_MAX: usize = 16;
/// The head of a request must come within this time; a connection that is idle for so long is
/// closed.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause after a connection that could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Who runs the machine, found among a request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    /// The user that his program runs as.
    pub uid: u32,
}

/// Accepts until `shutdown`; then the socket's file goes away, and what was begun is answered.
pub async fn serve(
    router: Router,
    listener: LocalListener,
    tasks: TaskTracker,
    shutdown: CancellationToken,
) {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let room = Arc::clone(&free).acquire_owned();
        let Some(Ok(permit)) = shutdown.run_until_cancelled(room).await else {
            return;
        };
        match shutdown.run_until_cancelled(listener.accept()).await {
            None => return,
            Some(Ok(connection)) => {
                let (router, shutdown) = (router.clone(), shutdown.clone());
                tasks.spawn(async move {
                    converse(router, connection, shutdown).await;
                    drop(permit);
                });
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "cannot accept on the admin socket, trying again");
                let pause = tokio::time::sleep(PAUSE);
                if shutdown.run_until_cancelled(pause).await.is_none() {
                    return;
                }
            }
        }
    }
}

async fn converse(router: Router, connection: LocalConnection, shutdown: CancellationToken) {
    let LocalConnection { socket, uid } = connection;
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Operator { uid });
        router.clone().oneshot(request)
    });
    let serving = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(socket), service);
    tokio::pin!(serving);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            served = &mut serving => {
                if let Err(error) = served {
                    tracing::debug!(%error, "the operator's connection ended badly");
                }
                return;
            }
            () = shutdown.cancelled(), if !is_stopping => {
                is_stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}
