//! A transfer server from its open port to its end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::http;
use super::inbox::HEAD_WAIT;
use super::refusal::Refusal;
use super::session::Session;
use super::{Policy, Transfers};
use crate::blob::{BlobError, Blobs};
use crate::clock::SystemClock;
use crate::config::TransferConfig;
use crate::net::{self, Connection, ConnectionLimits, Language, Listener, Port, Reception};
use crate::store::{BlobClass, Store};

/// Why a transfer server cannot run.
#[derive(Debug, Error)]
pub enum ServeError {
    #[error("the file cache {path}: {source}")]
    FileCache { path: String, source: BlobError },
}

/// Opens the file cache and serves `class` until `shutdown`.
pub async fn run(
    class: BlobClass,
    config: &TransferConfig,
    store: Arc<dyn Store>,
    listener: Listener,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let blobs = open(&config.filecache).await?;
    let policy = Policy::new(class, config);
    let transfers = Transfers::new(policy, store, blobs, Arc::new(SystemClock));
    let drain = Duration::from_secs(config.limits.drain_s);
    let limits = config.limits.connections();
    serve(Arc::new(transfers), listener, limits, drain, shutdown).await;
    Ok(())
}

async fn open(filecache: &Path) -> Result<Blobs, ServeError> {
    let path = filecache.to_owned();
    let opened = tokio::task::spawn_blocking(move || Blobs::open(&path)).await;
    let opened = opened.unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic()));
    opened.map_err(|source| ServeError::FileCache {
        path: filecache.display().to_string(),
        source,
    })
}

/// Serves until `shutdown`; then running requests have `drain` to be answered.
pub async fn serve(
    transfers: Arc<Transfers>,
    listener: Listener,
    limits: ConnectionLimits,
    drain: Duration,
    shutdown: CancellationToken,
) {
    let tasks = TaskTracker::new();
    let over = CancellationToken::new();
    let reception = Reception::new(Port::Transfer, listener.security(), HEAD_WAIT);
    let reception = Arc::new(reception);
    let handle = |connection: Connection| {
        let (transfers, shutdown, over) = (Arc::clone(&transfers), shutdown.clone(), over.clone());
        let reception = Arc::clone(&reception);
        async move {
            tokio::select! {
                biased;
                () = over.cancelled() => info!("closed: the time to stop is over"),
                () = attend(&transfers, &reception, connection, &shutdown) => {}
            }
        }
    };
    net::serve(listener, limits, shutdown.clone(), &tasks, handle).await;
    tasks.close();
    if tokio::time::timeout(drain, tasks.wait()).await.is_err() {
        warn!(
            connections = tasks.len(),
            "transfers are still running; closing them"
        );
        over.cancel();
        tasks.wait().await;
    }
}

async fn attend(
    transfers: &Transfers,
    reception: &Reception,
    connection: Connection,
    shutdown: &CancellationToken,
) {
    match reception.receive(connection, shutdown).await {
        Some((Language::Flamingo, connection)) => {
            let session = Session::new(transfers, connection.socket, connection.accepted);
            let ended = session.run(&connection.permit, shutdown).await;
            tell(ended);
        }
        Some((Language::Http, connection)) => http::refuse(connection).await,
        None => {}
    }
}

fn tell(ended: Result<(), Refusal>) {
    let Err(refusal) = ended else {
        debug!("closed");
        return;
    };
    refusal.count();
    match refusal {
        Refusal::Broken(error) => debug!(%error, "the connection broke"),
        refusal if refusal.is_ours() => warn!(reason = %refusal, "closed"),
        refusal => info!(reason = %refusal, "closed"),
    }
}
