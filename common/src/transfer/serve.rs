//! A transfer server from its open port to its end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::refusal::Refusal;
use super::session::Session;
use super::{Policy, Transfers};
use crate::blob::{BlobError, DiskBlobs};
use crate::clock::SystemClock;
use crate::config::TransferConfig;
use crate::net::{self, Connection, ConnectionLimits, Listener};
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

async fn open(filecache: &Path) -> Result<DiskBlobs, ServeError> {
    let path = filecache.to_owned();
    let opened = tokio::task::spawn_blocking(move || DiskBlobs::open(&path)).await;
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
    let handle = |connection: Connection| {
        let (transfers, shutdown, over) = (Arc::clone(&transfers), shutdown.clone(), over.clone());
        async move {
            tokio::select! {
                biased;
                () = over.cancelled() => info!("closed: the time to stop is over"),
                () = attend(&transfers, connection, &shutdown) => {}
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

async fn attend(transfers: &Transfers, connection: Connection, shutdown: &CancellationToken) {
    let session = Session::new(transfers, connection.socket);
    match session.run(&connection.permit, shutdown).await {
        Ok(()) => debug!("closed"),
        Err(Refusal::Broken(error)) => debug!(%error, "the connection broke"),
        Err(refusal) if refusal.is_ours() => warn!(reason = %refusal, "closed"),
        Err(refusal) => info!(reason = %refusal, "closed"),
    }
}
